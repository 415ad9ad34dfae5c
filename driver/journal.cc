#include "driver/journal.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

namespace twinkle::driver {
namespace {

class MemoryJournal final : public Journal {
 public:
  absl::Status Append(const std::vector<Record>& records, int64_t) override {
    records_.insert(records_.end(), records.begin(), records.end());
    if (records_.size() > kKept) records_.erase(records_.begin(), records_.end() - static_cast<std::ptrdiff_t>(kKept));
    return absl::OkStatus();
  }
  absl::StatusOr<Restored> Restore() override { return Restored(); }
  absl::StatusOr<std::vector<Record>> Last(size_t most) override {
    const auto count = static_cast<std::ptrdiff_t>(std::min(most, records_.size()));
    return std::vector<Record>(records_.end() - count, records_.end());
  }

 private:
  static constexpr size_t kKept = 1000;
  std::vector<Record> records_;
};

std::string Because(const std::string& why) { return why.empty() ? why : absl::StrCat(": ", why); }

}  // namespace

const char* NameOf(Record::Kind kind) {
  switch (kind) {
    case Record::Kind::kNodeJoined:
      return "node_joined";
    case Record::Kind::kNodeGone:
      return "node_gone";
    case Record::Kind::kJobSubmitted:
      return "job_submitted";
    case Record::Kind::kJobPlaced:
      return "job_placed";
    case Record::Kind::kGroupEnded:
      return "group_ended";
    case Record::Kind::kJobEnded:
      return "job_ended";
    case Record::Kind::kComponentAdded:
      return "component_added";
    case Record::Kind::kComponentRemoved:
      return "component_removed";
  }
  return "";
}

std::string TextOf(const Record& record) {
  switch (record.kind) {
    case Record::Kind::kNodeJoined:
      return absl::StrCat("node ", record.id, " '", record.detail, "' has joined");
    case Record::Kind::kNodeGone:
      return absl::StrCat("node ", record.id, " is gone", Because(record.detail));
    case Record::Kind::kJobSubmitted:
      return absl::StrCat("job ", record.id, " '", record.detail, "' was submitted");
    case Record::Kind::kJobPlaced:
      return absl::StrCat("job ", record.id, " was placed", Because(record.detail));
    case Record::Kind::kGroupEnded:
      return absl::StrCat("job ", record.id, ": group ", record.detail);
    case Record::Kind::kJobEnded:
      return absl::StrCat("job ", record.id, " has ended", Because(record.detail));
    case Record::Kind::kComponentAdded:
      return absl::StrCat("component ", record.id, ", a ", record.detail, ", was made");
    case Record::Kind::kComponentRemoved:
      return absl::StrCat("component ", record.id, " was released");
  }
  return "";
}

std::unique_ptr<Journal> NewMemoryJournal() { return std::make_unique<MemoryJournal>(); }

}  // namespace twinkle::driver
