#include "runtime/dispatch/collect.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/each_entry.h"
#include "runtime/dispatch/by_key.h"
#include "runtime/dispatch/collect_each.h"
#include "runtime/dispatch/collect_value.h"
#include "runtime/mesh/workers.h"

namespace twinkle::dispatch {
namespace {

using internal::As;
using internal::Kind;
using internal::NumberKind;
using internal::Type;

// What collected.h and this file disagree on is a mistake of ours, not of the user's.
absl::Status CannotHold(const Type& type) {
  return absl::InternalError(absl::StrCat("a collected result cannot be put into ", type.name));
}

// ---- a reduced number into a C++ number
absl::Status TooLarge(const Reduced& number, const Type& type) {
  return base::Refuse(
      "overflow",
      absl::StrCat(number.integer ? absl::StrCat(number.as_integer) : absl::StrCat(number.as_float),
                   " does not fit into the ", type.name, " that is to hold it: give the result a larger type"));
}

template <class T>
bool StoreAs(int64_t number, void* to) {
  if (!std::in_range<T>(number)) return false;
  const T narrow = static_cast<T>(number);
  std::memcpy(to, &narrow, sizeof(T));  // it may be a long long where T is a long
  return true;
}

absl::Status StoreInteger(const Reduced& number, const Type& type, void* to) {
  int64_t whole = number.as_integer;
  if (!number.integer) {
    const double nearest = std::nearbyint(number.as_float);
    if (!(std::fabs(nearest) < 0x1p63)) return TooLarge(number, type);
    whole = static_cast<int64_t>(nearest);
  }
  const bool is_signed = type.number == NumberKind::kSigned;
  bool fits = false;
  switch (type.size) {
    case 1:
      fits = is_signed ? StoreAs<int8_t>(whole, to) : StoreAs<uint8_t>(whole, to);
      break;
    case 2:
      fits = is_signed ? StoreAs<int16_t>(whole, to) : StoreAs<uint16_t>(whole, to);
      break;
    case 4:
      fits = is_signed ? StoreAs<int32_t>(whole, to) : StoreAs<uint32_t>(whole, to);
      break;
    case 8:
      fits = is_signed ? StoreAs<int64_t>(whole, to) : StoreAs<uint64_t>(whole, to);
      break;
    default:
      return CannotHold(type);
  }
  return fits ? absl::OkStatus() : TooLarge(number, type);
}

absl::Status StoreBool(const Reduced& number, const Type& type, void* to) {
  if (number.number() != 0 && number.number() != 1) return TooLarge(number, type);
  As<bool>(to) = number.number() == 1;
  return absl::OkStatus();
}

absl::Status StoreNumber(const Reduced& number, const Type& type, void* to) {
  if (type.kind == Kind::kOptional) return StoreNumber(number, *type.item, type.resize(to, 1));
  if (type.kind == Kind::kBool) return StoreBool(number, type, to);
  if (type.kind != Kind::kBits || type.number == NumberKind::kEnum) return CannotHold(type);
  if (type.number != NumberKind::kFloat) return StoreInteger(number, type, to);
  switch (type.size) {
    case sizeof(float):
      As<float>(to) = static_cast<float>(number.number());
      break;
    case sizeof(double):
      As<double>(to) = number.number();
      break;
    default:
      As<long double>(to) = number.number();
  }
  return absl::OkStatus();
}

// ---- joining
struct Member {
  void* at;
  const Type* type;
};
std::vector<Member> MembersOf(const Type& type, void* object) {
  std::vector<Member> members;
  codec::EachMember(type, object, [&](void* member, const Type& member_type) {
    members.push_back({member, &member_type});
  });
  return members;
}

ByKey<void> ValuesByKey(const Type& type, const std::vector<void*>& results) {
  ByKey<void> by_key(results.size());
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i] == nullptr) continue;
    codec::EachEntry(type, results[i], [&](void* key, void* value) { by_key.Add(i, As<std::string>(key), value); });
  }
  return by_key;
}

// One call of JoinResults. A null result is an absent one, below a dict.
class Joiner {
 public:
  Joiner(Collect rule, const codec::Padding& padding, bool move) : rule_(rule), padding_(padding), move_(move) {}

  absl::Status Join(const Type& result, const std::vector<void*>& results, const Type& collected, void* out) const;

 private:
  using Step = absl::Status (Joiner::*)(const Type&, const std::vector<void*>&, const Type&, void*) const;

  absl::Status JoinDynamic(const std::vector<void*>& results, void* out) const;
  absl::Status JoinMembers(Step step, const Type& result, const std::vector<void*>& results, const Type& collected,
                           void* out) const;
  absl::Status JoinList(const Type& result, const std::vector<void*>& results, const Type& collected, void* out) const;
  absl::Status JoinNumbers(const Type& result, const std::vector<void*>& results, const Type& collected,
                           void* out) const;
  absl::Status JoinDicts(const Type& result, const std::vector<void*>& results, const Type& collected, void* out) const;
  absl::Status Assign(const Type& type, void* to, void* from) const;

  const Collect rule_;
  const codec::Padding& padding_;
  const bool move_;
};

absl::Status Joiner::Join(const Type& result, const std::vector<void*>& results, const Type& collected,
                          void* out) const {
  if (result.kind == Kind::kValue && collected.kind == Kind::kValue) {
    return JoinDynamic(results, out);
  }
  if (result.kind == Kind::kTuple && collected.kind == Kind::kTuple) {
    return JoinMembers(&Joiner::Join, result, results, collected, out);
  }
  switch (rule_) {
    case Collect::kNone:
    case Collect::kLastPp:
      return JoinList(result, results, collected, out);
    case Collect::kFirst:
    case Collect::kLastPpFirst:
      return Assign(collected, out, results[0]);
    case Collect::kFlatten:
    case Collect::kFlattenDp:
      return codec::Concatenate(result, out, results, move_, padding_);
    case Collect::kMean:
    case Collect::kSum:
      return JoinNumbers(result, results, collected, out);
    case Collect::kMeanEach:
    case Collect::kSumEach:
      break;
  }
  return JoinEach(rule_ == Collect::kMeanEach, result, results, collected, out);
}

absl::Status Joiner::JoinDynamic(const std::vector<void*>& results, void* out) const {
  std::vector<Value*> values;
  for (void* result : results) {
    if (result != nullptr) values.push_back(static_cast<Value*>(result));
  }
  std::vector<int> used(values.size());
  std::iota(used.begin(), used.end(), 0);
  TWINKLE_ASSIGN_OR_RETURN(As<Value>(out), JoinValues({rule_, padding_, move_}, values, used));
  return absl::OkStatus();
}

// Member by member. Those of results and of `out` have different types and places.
absl::Status Joiner::JoinMembers(Step step, const Type& result, const std::vector<void*>& results,
                                 const Type& collected, void* out) const {
  const std::vector<Member> to = MembersOf(collected, out);
  std::vector<std::vector<void*>> parts(to.size(), std::vector<void*>(results.size()));
  std::vector<const Type*> types(to.size());
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i] == nullptr) continue;
    const std::vector<Member> from = MembersOf(result, results[i]);
    if (from.size() != to.size()) return CannotHold(collected);
    for (size_t m = 0; m < from.size(); ++m) {
      parts[m][i] = from[m].at;
      types[m] = from[m].type;
    }
  }
  for (size_t m = 0; m < to.size(); ++m) {
    const absl::Status status = (this->*step)(*types[m], parts[m], *to[m].type, to[m].at);
    if (!status.ok()) return base::Annotate(status, absl::StrCat("member ", m));
  }
  return absl::OkStatus();
}

absl::Status Joiner::JoinList(const Type& result, const std::vector<void*>& results, const Type& collected,
                              void* out) const {
  if (collected.kind == Kind::kBools && result.kind == Kind::kBool) {
    std::string bytes;
    for (const void* item : results) bytes.push_back(As<bool>(item) ? 1 : 0);
    collected.from_bytes(out, bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  const bool list = collected.kind == Kind::kList || collected.kind == Kind::kArrayRef;
  if (!list || collected.item->name != result.name) return CannotHold(collected);
  char* items = static_cast<char*>(collected.resize(out, results.size()));
  for (size_t i = 0; i < results.size(); ++i) {
    TWINKLE_RETURN_IF_ERROR(Assign(result, items + i * result.size, results[i]));
  }
  return absl::OkStatus();
}

absl::Status Joiner::JoinNumbers(const Type& result, const std::vector<void*>& results, const Type& collected,
                                 void* out) const {
  if (result.kind == Kind::kValue && collected.kind == Kind::kValue) {
    return JoinDynamic(results, out);
  }
  if (result.kind == Kind::kDict && collected.kind == Kind::kDict) {
    return JoinDicts(result, results, collected, out);
  }
  const bool aggregate = result.kind == Kind::kRecord || result.kind == Kind::kTuple;
  if (aggregate && result.kind == collected.kind) {
    return JoinMembers(&Joiner::JoinNumbers, result, results, collected, out);
  }
  TWINKLE_ASSIGN_OR_RETURN(const Reduced number, Reduce(rule_ == Collect::kMean, result, results));
  return StoreNumber(number, collected, out);
}

absl::Status Joiner::JoinDicts(const Type& result, const std::vector<void*>& results, const Type& collected,
                               void* out) const {
  if (!result.string_key || !collected.string_key) return CannotHold(collected);
  const auto by_key = ValuesByKey(result, results);
  absl::Status status;
  auto next = by_key.begin();
  codec::FillEntries(collected, out, by_key.size(), [&](void* key, void* value) {
    As<std::string>(key) = next->first;
    status = base::Annotate(JoinNumbers(*result.item, next->second, *collected.item, value),
                            absl::StrCat("at '", next->first, "'"));
    ++next;
    return status.ok();
  });
  return status;
}

absl::Status Joiner::Assign(const Type& type, void* to, void* from) const {
  if (type.move != nullptr && move_) {
    type.move(to, from);
  } else if (type.copy != nullptr) {
    type.copy(to, from);
  } else {
    return absl::FailedPreconditionError(
        absl::StrCat(type.name, " cannot be copied, and others may still need the result"));
  }
  return absl::OkStatus();
}

// ---- which workers
absl::StatusOr<std::vector<int>> WorkersOfMesh(Collect rule, int workers, const DeviceMesh* mesh) {
  if (mesh == nullptr) {
    return base::Refuse("mesh_required",
                        "Collect::kLastPp, kLastPpFirst and kFlattenDp choose results by their "
                        "place in the device mesh, so the component needs one: set "
                        "RemoteOptions.device_mesh or InitializeOptions.device_mesh");
  }
  if (rule == Collect::kFlattenDp) return mesh::CollectWorkers(*mesh, workers);
  TWINKLE_ASSIGN_OR_RETURN(std::vector<int> last, mesh::LastStageWorkers(*mesh, workers));
  if (rule == Collect::kLastPpFirst) last.resize(1);  // worker 0 if there were none
  return last;
}

}  // namespace

absl::StatusOr<Collect> CollectNamed(absl::string_view name) {
  if (name == "none") return Collect::kNone;
  if (name == "flatten") return Collect::kFlatten;
  if (name == "mean" || name == "avg") return Collect::kMean;
  if (name == "sum") return Collect::kSum;
  if (name == "first") return Collect::kFirst;
  if (name == "last_pp") return Collect::kLastPp;
  if (name == "last_pp_first") return Collect::kLastPpFirst;
  return base::Refuse("unsupported_collect", absl::StrCat("there is no collect policy '", name,
                                                          "': there are none, flatten, mean (or avg), sum, first, "
                                                          "last_pp and last_pp_first"));
}

bool NeedsMesh(Collect rule) {
  switch (rule) {
    case Collect::kLastPp:
    case Collect::kLastPpFirst:
    case Collect::kFlattenDp:
      return true;
    case Collect::kNone:
    case Collect::kFlatten:
    case Collect::kMean:
    case Collect::kSum:
    case Collect::kFirst:
    case Collect::kMeanEach:
    case Collect::kSumEach:
      return false;
  }
  return false;
}

absl::StatusOr<std::vector<int>> UsedWorkers(Collect rule, int workers, const DeviceMesh* mesh, bool local) {
  if (workers > 0 && !local && NeedsMesh(rule)) return WorkersOfMesh(rule, workers, mesh);
  const bool first = rule == Collect::kFirst || rule == Collect::kLastPpFirst;
  std::vector<int> used(static_cast<size_t>(first ? std::min(workers, 1) : workers));
  std::iota(used.begin(), used.end(), 0);
  return used;
}

absl::Status JoinResults(Collect rule, const codec::Padding& padding, const Type& result,
                         const std::vector<void*>& results, bool move, const Type& collected, void* out) {
  if (results.empty()) return absl::InternalError("no results to join");
  return Joiner(rule, padding, move).Join(result, results, collected, out);
}

absl::StatusOr<Value> CollectValues(Collect rule, const codec::Padding& padding, std::vector<Value> results,
                                    const DeviceMesh* mesh, bool local) {
  if (results.empty()) return Value(Value::List());
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<int> used,
                           UsedWorkers(rule, static_cast<int>(results.size()), mesh, local));
  std::vector<Value*> parts;
  parts.reserve(results.size());
  for (Value& result : results) parts.push_back(&result);
  return JoinValues({rule, padding, true}, parts, used);
}

}  // namespace twinkle::dispatch
