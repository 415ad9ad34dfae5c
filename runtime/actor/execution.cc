#include "runtime/actor/execution.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "runtime/actor/binder.h"
#include "runtime/actor/direct_call.h"
#include "runtime/actor/registry.h"
#include "runtime/actor/services.h"
#include "runtime/base/call_name.h"
#include "runtime/base/forked.h"
#include "runtime/base/status.h"
#include "runtime/codec/encode_within.h"
#include "runtime/codec/guarded.h"
#include "runtime/object/assemble.h"

namespace twinkle::actor {

using internal::Argument;
using internal::Outcome;
using internal::ParameterInfo;

std::span<const ParameterInfo> ParametersOf(const IncomingCall& call) {
  if (call.message.operation == Operation::kConstruct) {
    const auto* constructor = FindConstructor(call.instance->info.class_name, call.message.method);
    return constructor == nullptr ? std::span<const ParameterInfo>() : constructor->parameters;
  }
  return call.method == nullptr ? std::span<const ParameterInfo>() : call.method->parameters;
}

namespace {

// The argument, made of its pieces, which are there.
absl::StatusOr<Argument> Assembled(const PlannedArgument& planned, const codec::Type& type,
                                   object::PulledParts pulled) {
  const std::vector<WirePiece>& pieces = planned.pieces;
  if (pulled.size() != pieces.size()) return absl::FailedPreconditionError("its parts are those of another type");
  if (planned.parts.empty()) {
    return object::JoinPulled(type, {pulled.data(), pulled.size()}, [&](size_t i) { return pieces[i].item; });
  }
  std::vector<object::PartRead> parts;
  parts.reserve(planned.parts.size());
  size_t next = 0;
  for (const PlannedPart& part : planned.parts) {
    object::PartRead& read = parts.emplace_back(object::PartRead{part.target, {}, part.order});
    for (uint64_t i = 0; i < part.pieces; ++i) read.pieces.push_back({0, {}, pieces[next++].item});
  }
  return object::AssembleParts(parts, type, std::move(pulled));
}

absl::Status FillArguments(IncomingCall& call, Binder& binder) {
  if (call.self != nullptr) {
    TWINKLE_ASSIGN_OR_RETURN(call.arguments, DirectArguments(call.self_arguments, ParametersOf(call)));
    return absl::OkStatus();
  }
  TWINKLE_RETURN_IF_ERROR(call.argument_status);
  const auto parameters = ParametersOf(call);
  if (parameters.size() != call.message.arguments.size()) {
    return absl::FailedPreconditionError("the caller's program has other parameters for it");
  }
  call.arguments.reserve(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ParameterInfo& parameter = parameters[i];
    WireArgument& wire = call.message.arguments[i];
    Argument argument;
    if (const auto* handle = std::get_if<HandleArgument>(&wire);
        handle != nullptr && parameter.from_component != nullptr) {
      argument.value = parameter.from_component(binder.Bind(handle->component));
    } else if (std::holds_alternative<LazyArgument>(wire) && parameter.from_lazy != nullptr) {
      argument.value = parameter.from_lazy(call.lazies[i]);
    } else if (auto* packed = std::get_if<PackedValue>(&wire); packed != nullptr && parameter.type != nullptr) {
      TWINKLE_ASSIGN_OR_RETURN(codec::Encoded encoded, Unpack(std::move(*packed)));
      TWINKLE_ASSIGN_OR_RETURN(argument, object::Materialise({nullptr, std::move(encoded)}, *parameter.type));
    } else if (const auto* planned = std::get_if<PlannedArgument>(&wire);
               planned != nullptr && parameter.type != nullptr) {
      TWINKLE_ASSIGN_OR_RETURN(argument, Assembled(*planned, *parameter.type, std::move(call.pulled[i])));
      TWINKLE_ASSIGN_OR_RETURN(argument, object::ForMethod(*parameter.type, std::move(argument)));
    } else {
      return absl::FailedPreconditionError(absl::StrCat("argument ", i + 1, " is of another kind than the parameter"));
    }
    call.arguments.push_back(std::move(argument));
  }
  return absl::OkStatus();
}

// Ends a child that user code has forked and that has returned, too. A child has none of the library's threads, and its
// rings are its parent's: nothing of it goes on, nor is anything written out that the parent has, too.
void EndForkedChild(const IncomingCall& call) {
  if (!base::InForkedChild()) [[likely]]
    return;
  const std::string line =
      absl::StrCat("twinkle: a child that ", base::ShortName(call.instance->info.class_name), ".", call.message.method,
                   " has forked returned from it, and is ended: a child ends "
                   "with _exit, or starts a program (exec)\n");
  static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
  ::_exit(1);
}

Outcome RunConstruct(IncomingCall& call, const Services& here) {
  Instance& instance = *call.instance;
  const auto* constructor = FindConstructor(instance.info.class_name, call.message.method);
  if (constructor == nullptr) {
    instance.status =
        absl::FailedPreconditionError(absl::StrCat("this program has no constructor ", call.message.method));
  } else if (instance.status = codec::Guarded([&] { return FillArguments(call, *here.binder); });
             instance.status.ok()) {
    Outcome made = constructor->construct(call.arguments);
    EndForkedChild(call);
    instance.status = made.status;
    instance.object = std::move(made.value);
  }
  const absl::Status status = instance.status;
  if (!status.ok()) instance.status = Failed(call.Facts(here.options), status);
  return {status, nullptr, true};
}

}  // namespace

Outcome RunOperation(IncomingCall& call, const Services& here) {
  Instance& instance = *call.instance;
  switch (call.message.operation) {
    case Operation::kConstruct:
      return RunConstruct(call, here);
    case Operation::kProbe:
      call.told = true;
      return {instance.status, nullptr, true};
    case Operation::kDestroy:
      instance.object.reset();
      instance.status = call.running->cancellation.why();  // OK: it was released
      if (instance.status.ok()) instance.status = absl::FailedPreconditionError("the component was released");
      return {};
    case Operation::kMethod:
      break;
  }
  if (!instance.status.ok()) {
    call.told = true;  // the construction's failure says where
    return {instance.status, nullptr, true};
  }
  if (call.method == nullptr) {
    return {absl::FailedPreconditionError(absl::StrCat("the class has no remote method ", call.message.method)),
            nullptr, true};
  }
  if (absl::Status filled = codec::Guarded([&] { return FillArguments(call, *here.binder); }); !filled.ok())
    return {filled, nullptr, true};
  Outcome outcome = call.method->invoke(instance.object.get(), call.arguments);
  EndForkedChild(call);
  return outcome;
}

ReplyMessage ReplyFor(const IncomingCall& call, Outcome& outcome, const ProcessOptions& here) {
  ReplyMessage reply;
  reply.call = call.message.call;
  if (!outcome.status.ok()) {
    reply.failure = ToWire(call.told ? outcome.status : Failed(call.Facts(here), outcome.status));
  }
  reply.more = outcome.more;
  const bool has_value = outcome.status.ok() && outcome.value != nullptr;
  if (!has_value || !call.message.keep) {
    outcome.value = nullptr;
    return reply;
  }
  const codec::Type& type = *call.method->result;
  const absl::Status snapshot = codec::Guarded([&] { return codec::Snapshot(type, outcome.value.get()); });
  if (!snapshot.ok()) {
    reply.failure = ToWire(Failed(call.Facts(here), snapshot));
    outcome.value = nullptr;
    return reply;
  }
  codec::Rows rows;
  if (type.can_split) rows = codec::RowsOf(type, outcome.value.get());
  absl::StatusOr<codec::Sized> sized = codec::EncodeWithin({&type, outcome.value}, here.inline_bytes);
  if (!sized.ok()) {
    reply.failure = ToWire(Failed(call.Facts(here), sized.status()));
    outcome.value = nullptr;
    return reply;
  }
  reply.rows = std::move(rows);
  reply.bytes = sized->bytes;
  if (sized->encoded) reply.carried = Pack(*std::move(sized->encoded));
  return reply;
}

}  // namespace twinkle::actor
