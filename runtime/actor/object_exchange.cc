#include "runtime/actor/object_exchange.h"

#include <absl/strings/str_cat.h>

#include <utility>
#include <vector>

#include "runtime/base/memory.h"
#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"

namespace twinkle::actor {
namespace {

// A loop over small results would send one release for each.
constexpr absl::Duration kReleaseDelay = absl::Milliseconds(1);
constexpr size_t kMostReleases = 256;
constexpr absl::Duration kForgetAfter = absl::Minutes(1);  // what calls of a lost process pass on

// The loss of an object, as a reader is told of it whatever the owner calls it.
absl::Status Lost(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound ? absl::DataLossError(status.message()) : status;
}

// Reads the part of an object of this process for a reader in it.
absl::StatusOr<object::Pulled> ReadHere(const codec::Described& object, const codec::Type& type,
                                        const object::Selection& selection) {
  TWINKLE_ASSIGN_OR_RETURN(const codec::Described selected, object::Select(object, selection));
  if (selected.type != &type && codec::Fingerprint(*selected.type) != codec::Fingerprint(type)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the object is of type ", selected.type->name, ", not ", type.name));
  }
  if (!selection.rows) return object::Pulled{selected.value, {}};
  const std::shared_ptr<void> part = type.make();
  TWINKLE_RETURN_IF_ERROR(codec::Slice(type, part.get(), selected.value.get(), *selection.rows));
  return object::Pulled{part, {}};
}

absl::Status OwnerGone(absl::string_view why) {
  return absl::DataLossError(absl::StrCat("the process that owned the object is gone: ", why));
}

// The reader's error for the transport's: the peer is gone, or this process has left its job.
absl::Status Unsent(const absl::Status& sent) { return absl::IsCancelled(sent) ? sent : OwnerGone(sent.message()); }

// Answers the reads of `pending` whose owner is gone.
template <class Map>
void FailOf(Map& pending, rpc::ProcessId owner, const absl::Status& why) {
  std::vector<uint64_t> ids;
  for (const auto& [id, waiting] : pending) {
    if (waiting.owner == owner) ids.push_back(id);
  }
  for (uint64_t id : ids) pending.extract(id).mapped().done(why);
}

}  // namespace

ObjectExchange::ObjectExchange(const Services* services, LostPeers* lost)
    : services_(*services),
      lost_(*lost),
      spiller_(services->options.spill, &table_, services->service, services->executor,
               absl::StrCat("spill.", services->options.id)),
      relays_(services->options.id, lost) {}

// ---- keeping
absl::StatusOr<object::Admission> ObjectExchange::Admit(const codec::Described& value, uint64_t bytes) {
  if (bytes < base::kLargeBytes) return object::Admission{};
  return spiller_.Admit(value, bytes);
}

uint64_t ObjectExchange::Insert(codec::Described value, rpc::ProcessId holder, uint64_t bytes, object::Maker maker,
                                object::Admission admission) {
  const uint64_t id = table_.Insert(std::move(value), holder, bytes, std::move(maker));
  if (admission.file != nullptr) table_.MoveToFile(id, std::move(admission.file));
  admission.room = nullptr;  // it is counted now
  spiller_.OnChanged();
  return id;
}

// ---- reading
void ObjectExchange::Find(uint64_t object, FindDone done) {
  absl::StatusOr<object::ObjectTable::Found> found = table_.Find(object);
  if (!found.ok()) return done(Lost(found.status()));
  if (found->file == nullptr) return done(std::move(found->value));
  spiller_.Load(found->value.type, std::move(found->file), std::move(done));
}

void ObjectExchange::Pull(const object::ObjectRef& object, const codec::Type& type, object::Selection selection,
                          object::PullDone done) {
  if (object.owner == services_.options.id) {
    return Find(object.id, [type = &type, selection = std::move(selection),
                            done = std::move(done)](const absl::StatusOr<codec::Described>& found) mutable {
      if (!found.ok()) return done(found.status());
      done(codec::Guarded([&] { return ReadHere(*found, *type, selection); }));
    });
  }
  Ask(object.owner, {0, object.id, std::move(selection)}, std::move(done));
}

void ObjectExchange::Ask(rpc::ProcessId owner, PullMessage pull, object::PullDone done) {
  const uint64_t id = next_++;
  pull.pull = id;
  const absl::Status sent = services_.transport->Send(owner, rpc::Stream::kData, EncodeMessage(pull));
  if (!sent.ok()) return done(Unsent(sent));
  pulls_.emplace(id, PendingPull{owner, std::move(done)});
}

void ObjectExchange::OnPull(rpc::ProcessId from, const PullMessage& pull) {
  if (pull.relay) {
    return relays_.Read(*pull.relay, from, [this, from, id = pull.pull](const absl::StatusOr<codec::Encoded>& value) {
      Answer(from, id, value);
    });
  }
  Find(pull.object,
       [this, from, id = pull.pull, selection = pull.selection](const absl::StatusOr<codec::Described>& found) {
         Answer(from, id,
                found.ok() ? codec::Guarded([&] { return object::EncodeSelected(*found, selection); })
                           : absl::StatusOr<codec::Encoded>(found.status()));
       });
}

void ObjectExchange::Answer(rpc::ProcessId to, uint64_t pull, absl::StatusOr<codec::Encoded> value) {
  PullReply reply;
  reply.pull = pull;
  if (value.ok()) {
    reply.value = Pack(*std::move(value));
  } else {
    reply.status = ToWire(value.status());
  }
  services_.Send(to, rpc::Stream::kData, reply);
}

void ObjectExchange::OnPullReply(PullReply&& reply) {
  auto pull = pulls_.extract(reply.pull);
  if (pull.empty()) return;
  if (const absl::Status status = FromWire(reply.status); !status.ok()) return pull.mapped().done(status);
  absl::StatusOr<codec::Encoded> value = Unpack(std::move(reply.value));
  if (!value.ok()) return pull.mapped().done(value.status());
  object::Pulled pulled{nullptr, *std::move(value)};
  const bool here =
      services_.placement->MachineOf(pull.mapped().owner) == services_.placement->MachineOf(services_.options.id);
  (here ? services_.traffic->pulled_from_machine : services_.traffic->pulled_from_network) += pulled.encoded.bytes();
  pull.mapped().done(std::move(pulled));
}

// ---- relays
void ObjectExchange::BeginRelay(rpc::ProcessId caller, const WirePiece& piece) {
  const RelayOrder& order = *piece.relay;
  const RelayKey key{caller, order.number};
  if (!relays_.Expect(key, order.readers)) return;
  PullMessage pull{0, piece.object.id, {piece.path, piece.rows, piece.picks}};
  if (order.from != piece.object.owner) pull = {0, 0, {}, key};
  Ask(order.from, std::move(pull), [this, key](absl::StatusOr<object::Pulled> pulled) {
    relays_.Arrived(key, pulled.ok() ? absl::StatusOr<codec::Encoded>(std::move(pulled->encoded)) : pulled.status());
  });
}

void ObjectExchange::ReadRelay(rpc::ProcessId caller, const WirePiece& piece, object::PullDone done) {
  relays_.Read({caller, piece.relay->number}, services_.options.id,
               [done = std::move(done)](const absl::StatusOr<codec::Encoded>& part) mutable {
                 if (!part.ok()) return done(part.status());
                 done(object::Pulled{nullptr, *part});
               });
}

void ObjectExchange::DropRelay(rpc::ProcessId caller, const WirePiece& piece) {
  relays_.Drop({caller, piece.relay->number});
}

// ---- references
void ObjectExchange::Retain(const object::ObjectRef& object, RetainDone done) {
  if (object.owner == services_.options.id) return done(Lost(table_.Retain(object.id, object.owner)));
  const uint64_t token = next_++;
  const absl::Status sent =
      services_.transport->Send(object.owner, rpc::Stream::kControl, EncodeMessage(RetainMessage{token, object.id}));
  if (!sent.ok()) return done(Unsent(sent));
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
  if (object.owner == services_.options.id) {
    table_.Release(object.id, object.owner);
    return spiller_.OnChanged();
  }
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
  if (!release.objects.empty()) services_.Send(owner, rpc::Stream::kControl, release);
}

void ObjectExchange::OnRelease(rpc::ProcessId from, const ReleaseMessage& release) {
  for (uint64_t object : release.objects) table_.Release(object, from);
  spiller_.OnChanged();
}

// ---- ends
void ObjectExchange::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  table_.DropHolder(peer);
  spiller_.OnChanged();
  releases_.erase(peer);
  relays_.OnLost(peer, why);
  services_.service->PostAfter(kForgetAfter, [this, alive = std::weak_ptr(alive_), peer] {
    if (alive.lock() == nullptr) return;
    lost_.Forget(peer);
    relays_.ForgetCaller(peer);
  });
  FailOf(pulls_, peer, OwnerGone(why.message()));
  FailOf(retains_, peer, OwnerGone(why.message()));
}

void ObjectExchange::FailAll(const absl::Status& why) {
  spiller_.Close();
  for (auto& [id, pull] : std::exchange(pulls_, {})) pull.done(why);
  for (auto& [id, retain] : std::exchange(retains_, {})) retain.done(why);
}

}  // namespace twinkle::actor
