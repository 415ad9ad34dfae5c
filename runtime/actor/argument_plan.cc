#include "runtime/actor/argument_plan.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "runtime/actor/component_ref.h"
#include "runtime/actor/wire_lazy.h"
#include "runtime/base/status.h"
#include "runtime/dispatch/collect_rules.h"
#include "runtime/dispatch/dispatch.h"
#include "runtime/object/lazy_core.h"

namespace twinkle::actor {
namespace {

using internal::Argument;
using internal::CallArgument;
using internal::LazyCore;
using internal::ParameterInfo;
using Kind = CallArgument::Kind;

constexpr size_t kWholeParts = 1;

bool HasOwnDispatch(const OutgoingCall& call) { return call.method != nullptr && call.method->own_dispatch != nullptr; }

const DeviceMesh* MeshOf(const OutgoingCall& call) { return call.component->mesh ? &*call.component->mesh : nullptr; }

// Calls to one rank, and those that run on the first alone, look at no mesh.
bool IsWhole(const OutgoingCall& call) {
  return call.operation != Operation::kMethod || call.rank || call.method->execute == Execute::kFirst ||
         call.class_info->execute == Execute::kFirst;
}

absl::StatusOr<OutgoingCall::Workers> WorkersOf(const OutgoingCall& call, const ProcessOptions& caller) {
  const int count = static_cast<int>(call.component->workers.size());
  if (call.rank) {
    if (*call.rank < 0 || *call.rank >= count) {
      return absl::InvalidArgumentError(absl::StrCat("there is no rank ", *call.rank, ": the component has ", count));
    }
    return OutgoingCall::Workers{*call.rank};
  }
  Execute execute = call.operation == Operation::kMethod ? call.method->execute : Execute::kAll;
  if (call.class_info != nullptr && call.class_info->execute == Execute::kFirst) execute = Execute::kFirst;
  if (count == 1 && execute != Execute::kPeer) return OutgoingCall::Workers{0};  // most calls
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<int> workers,
                           dispatch::ExecutingWorkers(execute, count, {caller.rank, caller.world_size}));
  return OutgoingCall::Workers(workers.begin(), workers.end());
}

absl::Status FindUsed(OutgoingCall& call) {
  call.used.clear();
  const bool has_result = call.operation == Operation::kMethod && call.method->result != nullptr;
  if (!has_result) return absl::OkStatus();
  const int count = static_cast<int>(call.workers.size());
  const bool one = count == 1 && !dispatch::RuleOf(call.method->collect).needs_mesh();
  if (one || call.rank || call.method->own_collect != nullptr) {
    call.used.resize(call.workers.size());
    std::iota(call.used.begin(), call.used.end(), 0);
    return absl::OkStatus();
  }
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<int> used,
                           dispatch::UsedWorkers(call.method->collect, count, MeshOf(call), IsWhole(call)));
  call.used.assign(used.begin(), used.end());
  return absl::OkStatus();
}

// ---- one argument
absl::StatusOr<WireArgument> WireValue(const codec::Type& type, std::shared_ptr<const void> value,
                                       const dispatch::Part& part) {
  TWINKLE_ASSIGN_OR_RETURN(codec::Encoded encoded,
                           codec::Encode({&type, std::move(value)}, part.whole ? nullptr : &part.ranges));
  return WireArgument(Pack(std::move(encoded)));
}

absl::StatusOr<WireArgument> WirePart(const ParameterInfo& parameter, const CallArgument& argument, size_t index,
                                      const dispatch::Part& part) {
  if (argument.kind == Kind::kComponent) return WireArgument(HandleArgument{argument.component->info});
  if (argument.kind == Kind::kPerRank) return WirePart(parameter, argument.per_rank[index], 0, dispatch::Part{});
  if (argument.kind == Kind::kValue) return WireValue(*parameter.type, argument.value, part);
  if (parameter.kind == ParameterInfo::Kind::kLazy) return WireReference(*argument.lazy);
  if (argument.lazy->made_of().known()) return WireRows(argument.lazy->made_of(), part);
  return WireValue(*parameter.type, argument.lazy->value(), part);
}

// Of a value that goes along.
uint64_t BytesOf(const WireArgument& argument) {
  const auto* packed = std::get_if<PackedValue>(&argument);
  return packed == nullptr ? 0 : packed->bytes();
}

codec::Rows RowsOfArgument(const ParameterInfo& parameter, const CallArgument& argument) {
  const bool value = parameter.kind == ParameterInfo::Kind::kValue;
  if (value && argument.kind == Kind::kValue) return codec::RowsOf(*parameter.type, argument.value.get());
  if (value && argument.kind == Kind::kLazy) {
    const LazyCore& lazy = *argument.lazy;
    return lazy.made_of().known() ? lazy.rows() : codec::RowsOf(*parameter.type, lazy.value().get());
  }
  return codec::Rows(kWholeParts);  // goes whole, or was split by the caller
}

absl::Status CheckPerRank(const OutgoingCall& call) {
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const CallArgument& argument = call.arguments[i];
    if (argument.kind != Kind::kPerRank || argument.per_rank.size() == call.workers.size()) continue;
    return absl::InvalidArgumentError(absl::StrCat("argument ", i + 1, ": PerRank has ", argument.per_rank.size(),
                                                   " elements, but the call runs on ", call.workers.size(), " ranks"));
  }
  return absl::OkStatus();
}

// Whether no rule would split it, whatever its value.
bool GoesWhole(const ParameterInfo& parameter, const CallArgument& argument) {
  using internal::Kind;
  if (argument.kind == CallArgument::Kind::kComponent || argument.kind == CallArgument::Kind::kPerRank) return true;
  if (parameter.kind != ParameterInfo::Kind::kValue) return true;
  const Kind kind = parameter.type->kind;
  return kind == Kind::kBits || kind == Kind::kBool || kind == Kind::kString || kind == Kind::kBytes;
}

// Most calls: what no rule has anything to say of.
bool AllGoWhole(const OutgoingCall& call) {
  if (IsWhole(call)) return true;
  if (call.method->dispatch == Dispatch::kSliceDp) return false;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (!GoesWhole(call.parameters()[i], call.arguments[i])) return false;
  }
  return true;
}

// ---- all of them
absl::StatusOr<dispatch::Plan> MakePlan(const OutgoingCall& call) {
  const int workers = static_cast<int>(call.workers.size());
  std::vector<codec::Rows> rows;
  for (size_t i = 0; i < call.arguments.size(); ++i)
    rows.push_back(RowsOfArgument(call.parameters()[i], call.arguments[i]));
  return dispatch::PlanDispatch(call.method->dispatch, workers, MeshOf(call), rows);
}

// As it was encoded before, where it was and goes whole.
absl::StatusOr<WireArgument> PartFor(OutgoingCall& call, size_t argument, size_t index, const dispatch::Part& part) {
  const bool packed = part.whole && argument < call.packed.size() && call.packed[argument];
  if (packed) return WireArgument(*std::exchange(call.packed[argument], std::nullopt));
  return WirePart(call.parameters()[argument], call.arguments[argument], index, part);
}

// Without a plan everything goes whole to everybody. What several have the same of is encoded once.
absl::Status FillParts(OutgoingCall& call, const dispatch::Plan* plan) {
  static const dispatch::Part& whole = *new dispatch::Part;
  const auto part_of = [&](size_t i, size_t a) -> const dispatch::Part& { return plan ? (*plan)[i][a] : whole; };
  call.parts.resize(call.workers.size());
  for (std::vector<WireArgument>& parts : call.parts) parts.reserve(call.arguments.size());
  for (size_t a = 0; a < call.arguments.size(); ++a) {
    for (size_t i = 0; i < call.workers.size(); ++i) {
      const bool same = i > 0 && call.arguments[a].kind != Kind::kPerRank && part_of(i, a) == part_of(i - 1, a);
      if (same) {
        call.parts[i].push_back(call.parts[i - 1][a]);
        continue;
      }
      TWINKLE_ASSIGN_OR_RETURN(WireArgument part, PartFor(call, a, i, part_of(i, a)));
      call.argument_bytes += BytesOf(part);
      call.parts[i].push_back(std::move(part));
    }
  }
  call.packed.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Argument>> ValuesOf(const OutgoingCall& call) {
  std::vector<Argument> values;
  for (const CallArgument& argument : call.arguments) {
    if (argument.kind == Kind::kPerRank || argument.kind == Kind::kComponent) {
      return absl::InvalidArgumentError("own dispatch takes values only: no PerRank, no Remote");
    }
    const std::shared_ptr<const void> value =
        argument.kind == Kind::kLazy ? argument.lazy->value() : std::shared_ptr<const void>(argument.value);
    values.push_back({std::const_pointer_cast<void>(value), /*exclusive=*/false});
  }
  return values;
}

absl::Status FillOwnParts(OutgoingCall& call) {
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<Argument> values, ValuesOf(call));
  const int workers = static_cast<int>(call.workers.size());
  call.parts.resize(call.workers.size());
  for (int i = 0; i < workers; ++i) {
    std::vector<Argument> mine;
    TWINKLE_RETURN_IF_ERROR(call.method->own_dispatch(workers, i, values, MeshOf(call), &mine));
    for (size_t a = 0; a < mine.size(); ++a) {
      const codec::Type& type = *call.parameters()[a].type;
      TWINKLE_RETURN_IF_ERROR(codec::Snapshot(type, mine[a].value.get()));
      TWINKLE_ASSIGN_OR_RETURN(WireArgument part, WireValue(type, mine[a].value, dispatch::Part{}));
      call.argument_bytes += BytesOf(part);
      call.parts[static_cast<size_t>(i)].push_back(std::move(part));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool PlansWithUserCode(const OutgoingCall& call) { return HasOwnDispatch(call) && !IsWhole(call); }

bool NeedsValue(const LazyCore& lazy, bool always) {
  if (lazy.value() != nullptr || lazy.type() == nullptr) return false;
  return always || !lazy.made_of().known();
}

absl::Status PlanArguments(OutgoingCall& call, const ProcessOptions& caller) {
  TWINKLE_ASSIGN_OR_RETURN(call.workers, WorkersOf(call, caller));
  TWINKLE_RETURN_IF_ERROR(FindUsed(call));
  TWINKLE_RETURN_IF_ERROR(CheckPerRank(call));
  if (PlansWithUserCode(call)) return FillOwnParts(call);
  if (AllGoWhole(call)) return FillParts(call, nullptr);
  TWINKLE_ASSIGN_OR_RETURN(const dispatch::Plan plan, MakePlan(call));
  return FillParts(call, &plan);
}

}  // namespace twinkle::actor
