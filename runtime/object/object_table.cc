#include "runtime/object/object_table.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <tuple>

#include "runtime/base/memory.h"

namespace twinkle::object {
namespace {

absl::Status Unknown(uint64_t id) {
  return absl::NotFoundError(absl::StrCat("object ", id, " is not there (any more)"));
}

}  // namespace

int64_t* ObjectTable::Entry::ReferencesOf(rpc::ProcessId holder) {
  for (auto& [process, count] : references) {
    if (process == holder) return &count;
  }
  return nullptr;
}

bool ObjectTable::Entry::DropHolder(rpc::ProcessId holder) {
  const auto held =
      std::find_if(references.begin(), references.end(), [holder](const auto& entry) { return entry.first == holder; });
  if (held != references.end()) references.erase(held);
  return references.empty();
}

uint64_t ObjectTable::Insert(codec::Described value, rpc::ProcessId holder, uint64_t bytes, Maker maker) {
  const uint64_t id = next_++;
  Entry& entry = objects_[id];
  entry.value = std::move(value);
  entry.bytes = bytes;
  entry.made = base::Now();
  entry.maker = std::move(maker);
  entry.references.emplace_back(holder, 1);
  if (bytes >= base::kLargeBytes) {
    entry.used = ++uses_;
    by_use_[entry.used] = id;
  }
  size_ = objects_.size();
  Count(entry, 1);
  return id;
}

absl::StatusOr<ObjectTable::Found> ObjectTable::Find(uint64_t id) {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return Unknown(id);
  Entry& entry = found->second;
  if (entry.used != 0) {
    by_use_.erase(entry.used);
    entry.used = ++uses_;
    by_use_[entry.used] = id;
  }
  return Found{entry.value, entry.file};
}

absl::Status ObjectTable::Retain(uint64_t id, rpc::ProcessId holder) {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return Unknown(id);
  if (int64_t* const references = found->second.ReferencesOf(holder)) {
    ++*references;
  } else {
    found->second.references.emplace_back(holder, 1);
  }
  return absl::OkStatus();
}

void ObjectTable::Count(const Entry& entry, int64_t sign) {
  const auto times = static_cast<uint64_t>(sign);  // -1: as unsigned numbers wrap
  (entry.file == nullptr ? bytes_in_memory_ : bytes_on_disk_) += times * entry.bytes;
  if (entry.file == nullptr && entry.bytes < base::kLargeBytes) small_ += times;
}

void ObjectTable::Forget(Entry& entry) {
  if (entry.used != 0) by_use_.erase(entry.used);
  Count(entry, -1);
}

void ObjectTable::Release(uint64_t id, rpc::ProcessId holder) {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return;
  int64_t* const references = found->second.ReferencesOf(holder);
  if (references == nullptr || --*references > 0 || !found->second.DropHolder(holder)) return;
  Forget(found->second);
  objects_.erase(found);
  size_ = objects_.size();
}

void ObjectTable::DropHolder(rpc::ProcessId holder) {
  for (auto entry = objects_.begin(); entry != objects_.end();) {
    if (entry->second.DropHolder(holder)) {
      Forget(entry->second);
      objects_.erase(entry++);
    } else {
      ++entry;
    }
  }
  size_ = objects_.size();
}

void ObjectTable::Clear() {
  objects_.clear();
  by_use_.clear();
  size_ = 0;
  small_ = 0;
  bytes_in_memory_ = 0;
  bytes_on_disk_ = 0;
}

std::optional<ObjectTable::Unused> ObjectTable::LeastRecentlyUsed() const {
  for (const auto& [used, id] : by_use_) {
    const codec::Described& value = objects_.at(id).value;
    if (value.value.use_count() == 1) return Unused{id, value};
  }
  return std::nullopt;
}

void ObjectTable::MoveToFile(uint64_t id, std::shared_ptr<const SpillFile> file) {
  const auto found = objects_.find(id);
  if (found == objects_.end() || found->second.file != nullptr) return;
  Entry& entry = found->second;
  Forget(entry);
  entry.used = 0;
  entry.value.value = nullptr;
  entry.file = std::move(file);
  Count(entry, 1);
}

std::vector<HeldObjects> ObjectTable::Held() const {
  using Key = std::tuple<std::string, std::string, std::string, int, std::map<rpc::ProcessId, int64_t>>;
  std::map<Key, HeldObjects> groups;
  for (const auto& [id, entry] : objects_) {
    const std::map<rpc::ProcessId, int64_t> holders(entry.references.begin(), entry.references.end());
    const Maker& maker = entry.maker;
    HeldObjects& group = groups[{maker.class_name, maker.method, maker.file, maker.line, holders}];
    if (group.count++ == 0) {
      group.maker = maker;
      group.oldest = entry.made;
      for (const auto& [process, references] : holders) group.holders[process] = 0;
    }
    for (const auto& [process, references] : holders) group.holders[process] += references;
    group.bytes += entry.bytes;
    if (entry.file != nullptr) group.bytes_on_disk += entry.bytes;
    group.oldest = std::min(group.oldest, entry.made);
  }
  std::vector<HeldObjects> held;
  held.reserve(groups.size());
  for (auto& [key, group] : groups) held.push_back(std::move(group));
  std::stable_sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return held;
}

}  // namespace twinkle::object
