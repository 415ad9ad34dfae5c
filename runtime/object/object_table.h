// The objects that a process owns, and who refers to them.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/codec/codec.h"
#include "runtime/object/spill_file.h"
#include "runtime/rpc/transport.h"

namespace twinkle::object {

// The call whose result an object is, for people.
struct Maker {
  std::string class_name;  // qualified; empty: of Put
  std::string method;
  std::string file;  // base name
  int line = 0;
};

// Objects that the same line of the program made and the same processes hold.
struct HeldObjects {
  Maker maker;
  std::map<rpc::ProcessId, int64_t> holders;  // with how many references
  uint64_t count = 0;
  uint64_t bytes = 0;
  uint64_t bytes_on_disk = 0;  // of those
  base::Instant oldest;        // when the first of them was made
};

// For one thread, but for the sizes. Invariants:
//  OT1 an object is there exactly as long as some process holds a reference;
//  OT2 ids are never used again;
//  OT3 the references of a process go together when it is lost;
//  OT4 an object's value is in memory or in a file, and once it is in a file it stays there.
class ObjectTable {
 public:
  // Where an object's value is.
  struct Found {
    codec::Described value;                 // without a value when that is in the file
    std::shared_ptr<const SpillFile> file;  // null when it is in memory
  };
  // One that is in memory and that nobody else uses.
  struct Unused {
    uint64_t id = 0;
    codec::Described value;
  };

  // Keeps a value of that size when encoded; `holder` gets the first reference.
  uint64_t Insert(codec::Described value, rpc::ProcessId holder, uint64_t bytes = 0, Maker maker = {});

  // Counts as a use. NotFound when it was released or never there.
  absl::StatusOr<Found> Find(uint64_t id);

  // One reference more. NotFound as above.
  absl::Status Retain(uint64_t id, rpc::ProcessId holder);

  // One reference less; one that is not there is ignored (its process was dropped).
  void Release(uint64_t id, rpc::ProcessId holder);

  // All references of a process that is gone.
  void DropHolder(rpc::ProcessId holder);
  // All references of all.
  void Clear();

  // Of the large ones the one used longest ago.
  std::optional<Unused> LeastRecentlyUsed() const;
  // Its value is in the file from now on; ignored when it is gone.
  void MoveToFile(uint64_t id, std::shared_ptr<const SpillFile> file);

  // By size, the largest first.
  std::vector<HeldObjects> Held() const;

  // Thread-safe.
  size_t size() const { return size_; }
  uint64_t bytes_in_memory() const { return bytes_in_memory_; }
  uint64_t bytes_on_disk() const { return bytes_on_disk_; }
  // What the objects in memory cost: small ones take more than their bytes.
  uint64_t bytes_counted() const { return bytes_in_memory_ + small_ * kSmallCost; }

  static constexpr uint64_t kSmallCost = 400;  // bytes, about, of an object besides its value

 private:
  struct Entry {
    codec::Described value;
    std::shared_ptr<const SpillFile> file;
    uint64_t bytes = 0;
    uint64_t used = 0;  // in `by_use_`; 0: it is small, or in a file
    base::Instant made;
    Maker maker;
    absl::InlinedVector<std::pair<rpc::ProcessId, int64_t>, 1> references;  // by holder
    int64_t* ReferencesOf(rpc::ProcessId holder);                           // null: none
    bool DropHolder(rpc::ProcessId holder);                                 // whether that was the last
  };
  // Counts the entry, or no longer: where its value is now.
  void Count(const Entry& entry, int64_t sign);
  void Forget(Entry& entry);

  uint64_t next_ = 1;
  uint64_t uses_ = 0;
  absl::flat_hash_map<uint64_t, Entry> objects_;
  std::map<uint64_t, uint64_t> by_use_;  // large ones in memory: when last used -> id
  std::atomic<size_t> size_ = 0;         // of objects_
  std::atomic<uint64_t> small_ = 0;      // in memory
  std::atomic<uint64_t> bytes_in_memory_ = 0;
  std::atomic<uint64_t> bytes_on_disk_ = 0;
};

}  // namespace twinkle::object
