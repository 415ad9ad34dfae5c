// The objects that a process owns, read by others, and those of others, read by it.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/actor/messages.h"
#include "runtime/actor/services.h"
#include "runtime/object/object_store.h"
#include "runtime/object/object_table.h"

namespace twinkle::actor {

// Confined to the process's service queue. Invariants:
//  X1 every Pull and Retain is answered once: by the owner, by its loss, or by FailAll;
//  X2 a reader in the owning process gets the very value, any other bytes of its own.
class ObjectExchange {
 public:
  using RetainDone = absl::AnyInvocable<void(absl::Status)>;

  explicit ObjectExchange(const Services* services) : services_(*services) {}

  // See object::ObjectStore.
  void Pull(const object::ObjectRef& object, const codec::Type& type, object::Selection selection,
            object::PullDone done);
  void Retain(const object::ObjectRef& object, RetainDone done);
  void Release(const object::ObjectRef& object);

  void OnPull(rpc::ProcessId from, const PullMessage& pull);
  void OnPullReply(const PullReply& reply);
  void OnRetain(rpc::ProcessId from, const RetainMessage& retain);
  void OnRetainReply(const RetainReply& reply);
  void OnRelease(rpc::ProcessId from, const ReleaseMessage& release);
  void OnLost(rpc::ProcessId peer, const absl::Status& why);

  // What is awaited fails with `why`.
  void FailAll(const absl::Status& why);

  object::ObjectTable& table() { return table_; }

 private:
  struct PendingPull {
    rpc::ProcessId owner;
    object::PullDone done;
  };
  struct PendingRetain {
    rpc::ProcessId owner;
    RetainDone done;
  };

  void SendReleases(rpc::ProcessId owner);
  void PullHere(uint64_t object, const codec::Type& type, const object::Selection& selection, object::PullDone done);

  const Services& services_;
  object::ObjectTable table_;
  uint64_t next_ = 1;
  absl::flat_hash_map<uint64_t, PendingPull> pulls_;
  absl::flat_hash_map<uint64_t, PendingRetain> retains_;
  absl::flat_hash_map<rpc::ProcessId, std::vector<uint64_t>> releases_;  // to be told to owners, many at a time
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);     // for timers
};

}  // namespace twinkle::actor
