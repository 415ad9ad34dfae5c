// The objects that a process owns, and who refers to them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/codec/codec.h"
#include "runtime/rpc/transport.h"

namespace twinkle::object {

// For one thread, but for size(). Invariants:
//  O1 an object is there exactly as long as some process holds a reference;
//  O2 ids are never used again;
//  O3 the references of a process go together when it is lost.
class ObjectTable {
 public:
  // Keeps a value; `holder` gets the first reference.
  uint64_t Insert(codec::Described value, rpc::ProcessId holder);

  // NotFound when it was released or never there.
  absl::StatusOr<codec::Described> Find(uint64_t id) const;

  // One reference more. NotFound as above.
  absl::Status Retain(uint64_t id, rpc::ProcessId holder);

  // One reference less; one that is not there is ignored (its process was dropped).
  void Release(uint64_t id, rpc::ProcessId holder);

  // All references of a process that is gone.
  void DropHolder(rpc::ProcessId holder);

  // Thread-safe.
  size_t size() const { return size_; }

 private:
  struct Entry {
    codec::Described value;
    absl::flat_hash_map<rpc::ProcessId, int64_t> references;
  };
  uint64_t next_ = 1;
  absl::flat_hash_map<uint64_t, Entry> objects_;
  std::atomic<size_t> size_ = 0;  // of objects_
};

}  // namespace twinkle::object
