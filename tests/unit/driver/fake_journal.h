// A journal in memory that outlives its object, and whose disk fails when it is told to.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "driver/journal.h"

namespace twinkle::driver {

class FakeJournal final : public Journal {
 public:
  struct Disk {
    std::vector<Record> records;
    absl::Status failing;  // what Append answers, unless it is OK
    int appends = 0;       // that were tried
  };
  explicit FakeJournal(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}

  absl::Status Append(const std::vector<Record>& records, int64_t) override {
    if (records.empty()) return absl::OkStatus();
    ++disk_->appends;
    if (disk_->failing.ok()) disk_->records.insert(disk_->records.end(), records.begin(), records.end());
    return disk_->failing;
  }
  absl::StatusOr<Restored> Restore() override {
    std::map<Record::Kind, uint64_t> last;
    std::set<uint64_t> open;
    for (const Record& record : disk_->records) {
      last[record.kind] = std::max(last[record.kind], record.id);
      if (record.kind == Record::Kind::kJobSubmitted) open.insert(record.id);
      if (record.kind == Record::Kind::kJobEnded) open.erase(record.id);
    }
    return Restored{last[Record::Kind::kNodeJoined],
                    last[Record::Kind::kJobSubmitted],
                    last[Record::Kind::kComponentAdded],
                    {open.begin(), open.end()}};
  }
  absl::StatusOr<std::vector<Record>> Last(size_t most) override {
    const auto count = static_cast<std::ptrdiff_t>(std::min(most, disk_->records.size()));
    return std::vector<Record>(disk_->records.end() - count, disk_->records.end());
  }

 private:
  const std::shared_ptr<Disk> disk_;
};

}  // namespace twinkle::driver
