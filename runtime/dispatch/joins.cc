#include "runtime/dispatch/joins.h"

#include <absl/strings/str_cat.h>

#include <numeric>
#include <string>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/each_entry.h"
#include "runtime/dispatch/by_key.h"
#include "runtime/dispatch/collect_each.h"
#include "runtime/dispatch/reduce.h"
#include "runtime/dispatch/store_number.h"
#include "runtime/dispatch/value_joins.h"

namespace twinkle::dispatch {
namespace {

using internal::As;
using internal::Kind;
using internal::Type;

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

// The request for the same join of other results, into another place.
JoinRequest Below(const JoinRequest& request, const Type& result, const std::vector<void*>& results,
                  const Type& collected, void* out) {
  return {request.rule, request.padding, request.move, result, results, collected, out};
}

absl::Status Assign(const JoinRequest& request, const Type& type, void* to, void* from) {
  if (type.move != nullptr && request.move) {
    type.move(to, from);
  } else if (type.copy != nullptr) {
    type.copy(to, from);
  } else {
    return absl::FailedPreconditionError(
        absl::StrCat(type.name, " cannot be copied, and others may still need the result"));
  }
  return absl::OkStatus();
}

// ---- sums and means
ByKey<void> ResultsByKey(const JoinRequest& request) {
  ByKey<void> by_key(request.results.size());
  for (size_t i = 0; i < request.results.size(); ++i) {
    if (request.results[i] == nullptr) continue;
    codec::EachEntry(request.result, request.results[i],
                     [&](void* key, void* value) { by_key.Add(i, As<std::string>(key), value); });
  }
  return by_key;
}

template <bool mean>
absl::Status JoinNumbers(const JoinRequest& request);

template <bool mean>
absl::Status JoinDicts(const JoinRequest& request) {
  const Type& result = request.result;
  const Type& collected = request.collected;
  if (!result.string_key || !collected.string_key) return CannotHold(collected);
  const auto by_key = ResultsByKey(request);
  absl::Status status;
  auto next = by_key.begin();
  codec::FillEntries(collected, request.out, by_key.size(), [&](void* key, void* value) {
    As<std::string>(key) = next->first;
    status = base::Annotate(JoinNumbers<mean>(Below(request, *result.item, next->second, *collected.item, value)),
                            absl::StrCat("at '", next->first, "'"));
    ++next;
    return status.ok();
  });
  return status;
}

template <bool mean>
absl::Status JoinNumbers(const JoinRequest& request) {
  const Kind kind = request.result.kind;
  if (kind == request.collected.kind) {
    if (kind == Kind::kValue) return JoinDynamic(request);
    if (kind == Kind::kDict) return JoinDicts<mean>(request);
    if (kind == Kind::kRecord || kind == Kind::kTuple) return JoinMembers(&JoinNumbers<mean>, request);
  }
  TWINKLE_ASSIGN_OR_RETURN(const Reduced number, Reduce(mean, request.result, request.results));
  return StoreNumber(number, request.collected, request.out);
}

}  // namespace

absl::Status JoinMembers(absl::Status (*step)(const JoinRequest& request), const JoinRequest& request) {
  const std::vector<Member> to = MembersOf(request.collected, request.out);
  const size_t count = request.results.size();
  std::vector<std::vector<void*>> parts(to.size(), std::vector<void*>(count));
  std::vector<const Type*> types(to.size());
  for (size_t i = 0; i < count; ++i) {
    if (request.results[i] == nullptr) continue;
    const std::vector<Member> from = MembersOf(request.result, request.results[i]);
    if (from.size() != to.size()) return CannotHold(request.collected);
    for (size_t m = 0; m < from.size(); ++m) {
      parts[m][i] = from[m].at;
      types[m] = from[m].type;
    }
  }
  for (size_t m = 0; m < to.size(); ++m) {
    const absl::Status status = step(Below(request, *types[m], parts[m], *to[m].type, to[m].at));
    if (!status.ok()) return base::Annotate(status, absl::StrCat("member ", m));
  }
  return absl::OkStatus();
}

absl::Status JoinDynamic(const JoinRequest& request) {
  std::vector<Value*> values;
  for (void* result : request.results) {
    if (result != nullptr) values.push_back(static_cast<Value*>(result));
  }
  std::vector<int> used(values.size());
  std::iota(used.begin(), used.end(), 0);
  TWINKLE_ASSIGN_OR_RETURN(As<Value>(request.out),
                           JoinValues({request.rule, request.padding, request.move}, values, used));
  return absl::OkStatus();
}

absl::Status JoinList(const JoinRequest& request) {
  const Type& result = request.result;
  const Type& collected = request.collected;
  if (collected.kind == Kind::kBools && result.kind == Kind::kBool) {
    std::string bytes;
    for (const void* item : request.results) bytes.push_back(As<bool>(item) ? 1 : 0);
    collected.from_bytes(request.out, bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  const bool list = collected.kind == Kind::kList || collected.kind == Kind::kArrayRef;
  if (!list || collected.item->name != result.name) return CannotHold(collected);
  char* items = static_cast<char*>(collected.resize(request.out, request.results.size()));
  for (size_t i = 0; i < request.results.size(); ++i) {
    TWINKLE_RETURN_IF_ERROR(Assign(request, result, items + i * result.size, request.results[i]));
  }
  return absl::OkStatus();
}

absl::Status TakeFirst(const JoinRequest& request) {
  return Assign(request, request.collected, request.out, request.results[0]);
}

absl::Status JoinItems(const JoinRequest& request) {
  return codec::Concatenate(request.result, request.out, request.results, request.move, request.padding);
}

absl::Status JoinMean(const JoinRequest& request) { return JoinNumbers<true>(request); }

absl::Status JoinSum(const JoinRequest& request) { return JoinNumbers<false>(request); }

absl::Status JoinMeanEach(const JoinRequest& request) {
  return JoinEach(/*mean=*/true, request.result, request.results, request.collected, request.out);
}

absl::Status JoinSumEach(const JoinRequest& request) {
  return JoinEach(/*mean=*/false, request.result, request.results, request.collected, request.out);
}

}  // namespace twinkle::dispatch
