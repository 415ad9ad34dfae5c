// What the rest of the runtime needs of objects, wherever they are: references to them, and reading them.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/base/ids.h"
#include "runtime/codec/codec.h"
#include "runtime/rpc/transport.h"

namespace twinkle::object {

// Owned by the process that made it; `id` is unique there and never 0.
struct ObjectRef {
  rpc::ProcessId owner = 0;
  uint64_t id = 0;
  bool operator==(const ObjectRef&) const = default;
};

// Which part of an object is read; without anything all of it.
struct Selection {
  std::vector<uint32_t> path = {};                               // to a member, as codec::Member
  std::optional<std::vector<codec::Range>> rows = std::nullopt;  // of that: one range for each leaf
  std::vector<codec::Range> picks = {};                          // instead, unless empty: as codec::Take
};
// The selected part but for `rows`, which encoding and slicing look at. InvalidArgument.
absl::StatusOr<codec::Described> Select(const codec::Described& value, const Selection& selection);
// The selected part, encoded; rows of one range are not copied for that. Errors as for Select, and codec::Encode.
absl::StatusOr<codec::Encoded> EncodeSelected(const codec::Described& value, Selection selection);

// What reading gives: the owner's own value where that is this process (not to be changed), else bytes to decode.
struct Pulled {
  std::shared_ptr<const void> value;
  codec::Encoded encoded;
};
using PullDone = absl::AnyInvocable<void(absl::StatusOr<Pulled>)>;

// A process's view of all objects of the job. Thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Brings an object, or a part of it; `type` is that of what comes. `done` runs later, on the process's service queue.
  // DataLoss when the owner is gone or does not have the object.
  virtual void Pull(const ObjectRef& object, const codec::Type& type, Selection selection, PullDone done) = 0;

  // Takes one more reference for this process, which somebody else's keeps alive until `done` runs (as for Pull).
  virtual void Retain(const ObjectRef& object, absl::AnyInvocable<void(absl::Status)> done) = 0;

  // Gives one reference of this process back.
  virtual void Release(const ObjectRef& object) = 0;

  // Whose objects these are: what another job's process holds is none of this one's.
  virtual base::JobKey job() const = 0;

  // Where results are joined when no thread of the user's waits for them; own collect functions run there.
  virtual base::TaskQueue& collector() = 0;
};

// One reference that this process holds. Shared by the lazies made from one call.
class HeldObject {
 public:
  HeldObject(std::shared_ptr<ObjectStore> store, ObjectRef ref) : store_(std::move(store)), ref_(ref) {}
  ~HeldObject() { store_->Release(ref_); }
  HeldObject(const HeldObject&) = delete;
  HeldObject& operator=(const HeldObject&) = delete;
  const ObjectRef& ref() const { return ref_; }

 private:
  const std::shared_ptr<ObjectStore> store_;  // outlives the session that made it
  const ObjectRef ref_;
};

// FailedPrecondition: what belongs to job `theirs` is given to one of another session, `ours`.
absl::Status CheckSameJob(base::JobKey theirs, base::JobKey ours);

// The result of one rank.
struct Shard {
  std::shared_ptr<const HeldObject> object;
  codec::Rows rows;
  uint64_t bytes = 0;
  std::optional<codec::Encoded> carried;  // came along with the reply
};

// Most lazies have one shard: that needs no memory of its own, nor does what is read of it.
using Shards = absl::InlinedVector<Shard, 1>;
using PulledParts = absl::InlinedVector<absl::StatusOr<Pulled>, 1>;

}  // namespace twinkle::object
