#include "runtime/object/object_table.h"

#include <absl/strings/str_cat.h>

namespace twinkle::object {
namespace {

absl::Status Unknown(uint64_t id) {
  return absl::NotFoundError(absl::StrCat("object ", id, " is not there (any more)"));
}

}  // namespace

uint64_t ObjectTable::Insert(codec::Described value, rpc::ProcessId holder) {
  const uint64_t id = next_++;
  Entry& entry = objects_[id];
  entry.value = std::move(value);
  entry.references[holder] = 1;
  size_ = objects_.size();
  return id;
}

absl::StatusOr<codec::Described> ObjectTable::Find(uint64_t id) const {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return Unknown(id);
  return found->second.value;
}

absl::Status ObjectTable::Retain(uint64_t id, rpc::ProcessId holder) {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return Unknown(id);
  ++found->second.references[holder];
  return absl::OkStatus();
}

void ObjectTable::Release(uint64_t id, rpc::ProcessId holder) {
  const auto found = objects_.find(id);
  if (found == objects_.end()) return;
  auto& references = found->second.references;
  const auto held = references.find(holder);
  if (held == references.end() || --held->second > 0) return;
  references.erase(held);
  if (!references.empty()) return;
  objects_.erase(found);
  size_ = objects_.size();
}

void ObjectTable::DropHolder(rpc::ProcessId holder) {
  for (auto entry = objects_.begin(); entry != objects_.end();) {
    entry->second.references.erase(holder);
    if (entry->second.references.empty()) {
      objects_.erase(entry++);
    } else {
      ++entry;
    }
  }
  size_ = objects_.size();
}

}  // namespace twinkle::object
