// What a call waits for before it can run: arguments that are elsewhere.
#include <algorithm>
#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/actor/direct_call.h"
#include "runtime/actor/execution.h"
#include "runtime/actor/host.h"
#include "runtime/actor/wire_lazy.h"
#include "runtime/object/assemble.h"

namespace twinkle::actor {

using internal::LazyCore;
using internal::ParameterInfo;

void Host::BeginArguments(const CallPtr& call) {
  const auto& arguments = call->message.arguments;
  const bool elsewhere = std::any_of(arguments.begin(), arguments.end(), [](const WireArgument& argument) {
    return !std::holds_alternative<PackedValue>(argument) && !std::holds_alternative<HandleArgument>(argument);
  });
  if (elsewhere) {
    call->pulled.resize(arguments.size());
    call->lazies.resize(arguments.size());
  }
  {
    base::MutexLock lock(&mutex_);
    const auto found = instances_.find(call->message.component);
    if (found != instances_.end()) call->instance = found->second;
  }
  if (call->instance != nullptr && call->instance->class_info != nullptr && call->self == nullptr) {
    call->method = call->instance->class_info->Find(call->message.method, call->message.each);
    for (size_t i = 0; i < arguments.size() && i < ParametersOf(*call).size(); ++i) {
      const ParameterInfo& parameter = ParametersOf(*call)[i];
      const bool value = parameter.kind == ParameterInfo::Kind::kValue && parameter.type != nullptr;
      const auto* const planned = std::get_if<PlannedArgument>(&arguments[i]);
      if (value && planned != nullptr) BeginPieces(call, i, *planned);
      if (const auto* lazy = std::get_if<LazyArgument>(&arguments[i])) BeginLazy(call, i, *lazy);
    }
  }
  ArgumentDone(call, absl::OkStatus());
}

namespace {

absl::Status OfAnotherType() { return absl::FailedPreconditionError("its parts are those of another type"); }

}  // namespace

void Host::BeginPieces(const CallPtr& call, size_t argument, const PlannedArgument& planned) {
  const codec::Type& whole = *ParametersOf(*call)[argument].type;
  const std::vector<WirePiece>& pieces = planned.pieces;
  call->pulled[argument].resize(pieces.size());
  call->arguments_missing += pieces.size();
  if (planned.parts.empty()) {
    for (size_t i = 0; i < pieces.size(); ++i) BeginPiece(call, argument, i, whole, pieces[i]);
    return;
  }
  const std::shared_ptr<void> any = whole.make();
  size_t next = 0;
  for (const PlannedPart& part : planned.parts) {
    const auto target = codec::MemberAt(whole, any.get(), part.target);
    for (uint64_t i = 0; i < part.pieces; ++i, ++next) {
      if (target) {
        BeginPiece(call, argument, next, *target->type, pieces[next]);
      } else {
        ArgumentDone(call, OfAnotherType());
      }
    }
  }
}

void Host::BeginPiece(const CallPtr& call, size_t argument, size_t index, const codec::Type& whole,
                      const WirePiece& piece) {
  const codec::Type* const type = piece.item ? object::ItemType(whole) : &whole;
  if (type == nullptr) return ArgumentDone(call, OfAnotherType());
  if (piece.value) {
    absl::StatusOr<codec::Encoded> value = Unpack(*piece.value);
    const absl::Status status = value.status();
    if (status.ok()) call->pulled[argument][index] = object::Pulled{nullptr, *std::move(value)};
    return ArgumentDone(call, status);
  }
  auto done = [weak = weak_from_this(), call, argument, index](absl::StatusOr<object::Pulled> pulled) {
    const absl::Status status = pulled.status();
    call->pulled[argument][index] = std::move(pulled);
    if (const auto host = weak.lock()) host->ArgumentDone(call, status);
  };
  if (piece.relay) return objects_.ReadRelay(call->caller, piece, std::move(done));
  objects_.Pull(piece.object, *type, {piece.path, piece.rows, piece.picks}, std::move(done));
}

// At once: other ranks wait for what this one passes on, whatever becomes of its call.
void Host::BeginRelays(IncomingCall& call) {
  for (const WireArgument& argument : call.message.arguments) {
    EachPiece(argument, [&](const WirePiece& piece) {
      if (!piece.relay) return;
      call.relays = true;
      objects_.BeginRelay(call.caller, piece);
    });
  }
}

void Host::DropRelays(const IncomingCall& call) {
  if (!call.relays) return;
  for (const WireArgument& argument : call.message.arguments) {
    EachPiece(argument, [&](const WirePiece& piece) {
      if (piece.relay) objects_.DropRelay(call.caller, piece);
    });
  }
}

// The reference is this process's own before the call is answered: the caller's may go then.
void Host::BeginLazy(const CallPtr& call, size_t argument, const LazyArgument& wire) {
  const ParameterInfo& parameter = ParametersOf(*call)[argument];
  const auto store = services_.binder->store();
  internal::LazyOrigin origin;
  origin.collected = parameter.type;
  origin.answer = parameter.answer;
  origin.what = wire.what;
  origin.as_it_is = true;
  origin.store = store;
  origin.failures = services_.failures;
  const codec::Type* collected = origin.collected;
  auto core = std::make_shared<LazyCore>(std::move(origin));
  call->lazies[argument] = core;
  if (const absl::Status failed = FromWire(wire.failed); !failed.ok()) {
    core->Fail(failed);
    return core->failure()->Look();  // a copy of one that its maker knows of
  }
  if (wire.value && collected != nullptr) {
    const std::shared_ptr<void> value = collected->make();
    const absl::StatusOr<codec::Encoded> encoded = Unpack(*wire.value);
    const absl::Status decoded =
        encoded.ok() ? codec::Decode(*collected, value.get(), encoded->head, encoded->buffers) : encoded.status();
    if (!decoded.ok()) return core->Fail(decoded);
    return core->SucceedWith(value);
  }
  if (const absl::Status fits = CheckFits(wire, collected); !fits.ok()) return core->Fail(fits);
  for (const WireSource& source : wire.sources) {
    call->arguments_missing += 1;
    objects_.Retain(source.object, [weak = weak_from_this(), call](const absl::Status& status) {
      if (const auto host = weak.lock()) host->ArgumentDone(call, status);
    });
  }
  core->SucceedAs(MadeOf(wire, store));
}

void Host::ArgumentDone(const CallPtr& call, const absl::Status& status) {
  if (call->arguments_missing == 0) return;  // it was cancelled meanwhile
  if (!status.ok() && call->argument_status.ok()) call->argument_status = status;
  if (--call->arguments_missing == 0 && call->state == IncomingCall::State::kReleased)
    call->instance->context.lane->Pump();
}

}  // namespace twinkle::actor
