#include "runtime/actor/object_exchange.h"

#include <absl/strings/str_cat.h>

#include <utility>
#include <vector>

#include "runtime/codec/guarded.h"

namespace twinkle::actor {
namespace {

// A loop over small results would send one release for each.
constexpr absl::Duration kReleaseDelay = absl::Milliseconds(1);
constexpr size_t kMostReleases = 256;

// A reader is told of a loss, whatever the owner calls it.
absl::Status Lost(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound ? absl::DataLossError(status.message()) : status;
}

absl::StatusOr<codec::Described> SelectIn(const object::ObjectTable& table, uint64_t object,
                                          const object::Selection& selection) {
  const absl::StatusOr<codec::Described> found = table.Find(object);
  if (!found.ok()) return Lost(found.status());
  return codec::Guarded([&] { return object::Select(*found, selection); });
}

absl::Status OwnerGone(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("the process that owned the object is gone: ", why));
}

// Answers those of `pending` whose owner is gone.
template <class Map>
void FailOf(Map& pending, rpc::ProcessId owner, const absl::Status& why) {
  std::vector<uint64_t> ids;
  for (const auto& [id, waiting] : pending) {
    if (waiting.owner == owner) ids.push_back(id);
  }
  for (uint64_t id : ids) pending.extract(id).mapped().done(why);
}

}  // namespace

// ---- reading
void ObjectExchange::Pull(const object::ObjectRef& object, const codec::Type& type, object::Selection selection,
                          object::PullDone done) {
  if (object.owner == services_.options.id) return PullHere(object.id, type, selection, std::move(done));
  const uint64_t id = next_++;
  const absl::Status sent = services_.transport->Send(object.owner, rpc::Stream::kData,
                                                      EncodeMessage(PullMessage{id, object.id, std::move(selection)}));
  if (!sent.ok()) return done(OwnerGone(sent.message()));
  pulls_.emplace(id, PendingPull{object.owner, std::move(done)});
}

void ObjectExchange::PullHere(uint64_t object, const codec::Type& type, const object::Selection& selection,
                              object::PullDone done) {
  const absl::StatusOr<codec::Described> found = SelectIn(table_, object, selection);
  if (!found.ok()) return done(found.status());
  if (found->type != &type && codec::Fingerprint(*found->type) != codec::Fingerprint(type)) {
    return done(
        absl::FailedPreconditionError(absl::StrCat("the object is of type ", found->type->name, ", not ", type.name)));
  }
  if (!selection.rows) return done(object::Pulled{found->value, {}});
  const std::shared_ptr<void> part = type.make();
  const absl::Status sliced = codec::Slice(type, part.get(), found->value.get(), *selection.rows);
  sliced.ok() ? done(object::Pulled{part, {}}) : done(sliced);
}

void ObjectExchange::OnPull(rpc::ProcessId from, const PullMessage& pull) {
  PullReply reply;
  reply.pull = pull.pull;
  const auto& rows = pull.selection.rows;
  const absl::StatusOr<codec::Described> found = SelectIn(table_, pull.object, pull.selection);
  const absl::StatusOr<codec::Encoded> encoded =
      found.ok() ? codec::Encode(*found, rows ? &*rows : nullptr) : absl::StatusOr<codec::Encoded>(found.status());
  if (encoded.ok()) {
    reply.value = Pack(*encoded);
  } else {
    reply.status = ToWire(encoded.status());
  }
  services_.Send(from, rpc::Stream::kData, std::move(reply));
}

void ObjectExchange::OnPullReply(const PullReply& reply) {
  auto pull = pulls_.extract(reply.pull);
  if (pull.empty()) return;
  const absl::Status status = FromWire(reply.status);
  status.ok() ? pull.mapped().done(object::Pulled{nullptr, Unpack(reply.value)}) : pull.mapped().done(status);
}

// ---- references
void ObjectExchange::Retain(const object::ObjectRef& object, RetainDone done) {
  if (object.owner == services_.options.id) return done(Lost(table_.Retain(object.id, object.owner)));
  const uint64_t token = next_++;
  const absl::Status sent =
      services_.transport->Send(object.owner, rpc::Stream::kControl, EncodeMessage(RetainMessage{token, object.id}));
  if (!sent.ok()) return done(OwnerGone(sent.message()));
  retains_.emplace(token, PendingRetain{object.owner, std::move(done)});
}

void ObjectExchange::OnRetain(rpc::ProcessId from, const RetainMessage& retain) {
  const absl::Status status = Lost(table_.Retain(retain.object, from));
  services_.Send(from, rpc::Stream::kControl, RetainReply{retain.token, ToWire(status)});
}

void ObjectExchange::OnRetainReply(const RetainReply& reply) {
  auto retain = retains_.extract(reply.token);
  if (!retain.empty()) retain.mapped().done(FromWire(reply.status));
}

void ObjectExchange::Release(const object::ObjectRef& object) {
  if (object.owner == services_.options.id) return table_.Release(object.id, object.owner);
  std::vector<uint64_t>& pending = releases_[object.owner];
  pending.push_back(object.id);
  if (pending.size() >= kMostReleases) return SendReleases(object.owner);
  if (pending.size() > 1) return;
  services_.service->PostAfter(kReleaseDelay, [this, alive = std::weak_ptr(alive_), owner = object.owner] {
    if (alive.lock() != nullptr) SendReleases(owner);
  });
}

void ObjectExchange::SendReleases(rpc::ProcessId owner) {
  ReleaseMessage release{std::exchange(releases_[owner], {})};
  if (!release.objects.empty()) services_.Send(owner, rpc::Stream::kControl, std::move(release));
}

void ObjectExchange::OnRelease(rpc::ProcessId from, const ReleaseMessage& release) {
  for (uint64_t object : release.objects) table_.Release(object, from);
}

// ---- ends
void ObjectExchange::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  table_.DropHolder(peer);
  releases_.erase(peer);
  FailOf(pulls_, peer, OwnerGone(why.message()));
  FailOf(retains_, peer, OwnerGone(why.message()));
}

void ObjectExchange::FailAll(const absl::Status& why) {
  for (auto& [id, pull] : std::exchange(pulls_, {})) pull.done(why);
  for (auto& [id, retain] : std::exchange(retains_, {})) retain.done(why);
}

}  // namespace twinkle::actor
