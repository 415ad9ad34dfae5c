// The objects that a process owns, read by others, and those of others, read by it.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/actor/lost_peers.h"
#include "runtime/actor/messages.h"
#include "runtime/actor/relays.h"
#include "runtime/actor/services.h"
#include "runtime/object/object_store.h"
#include "runtime/object/object_table.h"
#include "runtime/object/spiller.h"

namespace twinkle::actor {

// Reads and keeps objects for a process. Confined to the process's service queue, but for what says otherwise. A read
// fails with DataLoss when the owner is gone or no longer has the object. FailAll ends what is awaited, DropAll what is
// kept. Invariants:
//  OX1 every Pull and Retain is answered once: by the owner, by its loss, or by FailAll;
//  OX2 a reader in the owning process gets the very value, any other bytes of its own.
class ObjectExchange {
 public:
  using RetainDone = absl::AnyInvocable<void(absl::Status)>;

  // `services` and `lost` must outlive the exchange, which forgets lost peers after a time.
  ObjectExchange(const Services* services, LostPeers* lost);

  // Keeps a value of this process; `holder` gets the first reference. `bytes`: its size when encoded, with which it was
  // admitted.
  uint64_t Insert(codec::Described value, rpc::ProcessId holder, uint64_t bytes, object::Maker maker,
                  object::Admission admission);
  // Room for values, thread-safe, as object::Spiller gives it. Small values need no admission.
  absl::Status AwaitRoom(uint64_t known = object::Spiller::kAllRefusals) { return spiller_.AwaitRoom(known); }
  uint64_t refusals() const { return spiller_.refusals(); }
  absl::StatusOr<object::Admission> Admit(const codec::Described& value, uint64_t bytes);

  // Reads of objects, as object::ObjectStore says.
  void Pull(const object::ObjectRef& object, const codec::Type& type, object::Selection selection,
            object::PullDone done);
  // Pieces of arguments that come by a relay, for a call of `caller`. BeginRelay is called when the call has come,
  // whatever becomes of it, since other processes wait. The part may be read once, and is dropped when the call has
  // ended.
  void BeginRelay(rpc::ProcessId caller, const WirePiece& piece);
  void ReadRelay(rpc::ProcessId caller, const WirePiece& piece, object::PullDone done);
  void DropRelay(rpc::ProcessId caller, const WirePiece& piece);
  void Retain(const object::ObjectRef& object, RetainDone done);
  void Release(const object::ObjectRef& object);

  void OnPull(rpc::ProcessId from, const PullMessage& pull);
  void OnPullReply(PullReply&& reply);
  void OnRetain(rpc::ProcessId from, const RetainMessage& retain);
  void OnRetainReply(const RetainReply& reply);
  void OnRelease(rpc::ProcessId from, const ReleaseMessage& release);
  void OnLost(rpc::ProcessId peer, const absl::Status& why);

  // Fails all that is awaited with `why`. Whoever waits for room goes on.
  void FailAll(const absl::Status& why);
  // Lets go of all objects of this process, when nobody can ask for them any more.
  void DropAll() { table_.Clear(); }

  const object::ObjectTable& table() const { return table_; }

 private:
  struct PendingPull {
    rpc::ProcessId owner;
    object::PullDone done;
  };
  struct PendingRetain {
    rpc::ProcessId owner;
    RetainDone done;
  };

  // Gives the value of an object of this process, at once if it is in memory.
  using FindDone = absl::AnyInvocable<void(const absl::StatusOr<codec::Described>&)>;
  void Find(uint64_t object, FindDone done);
  void Ask(rpc::ProcessId owner, PullMessage pull, object::PullDone done);
  void Answer(rpc::ProcessId to, uint64_t pull, absl::StatusOr<codec::Encoded> value);
  void SendReleases(rpc::ProcessId owner);

  const Services& services_;
  LostPeers& lost_;
  object::ObjectTable table_;
  object::Spiller spiller_;
  Relays relays_;
  uint64_t next_ = 1;
  absl::flat_hash_map<uint64_t, PendingPull> pulls_;
  absl::flat_hash_map<uint64_t, PendingRetain> retains_;
  absl::flat_hash_map<rpc::ProcessId, std::vector<uint64_t>> releases_;  // to be told to owners, many at a time
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);     // for timers
};

}  // namespace twinkle::actor
