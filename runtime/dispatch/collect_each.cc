#include "runtime/dispatch/collect_each.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <map>
#include <string>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"
#include "runtime/dispatch/sum_each.h"

namespace twinkle::dispatch {
namespace {

using internal::As;
using internal::Kind;
using internal::kType;
using internal::Type;

// A rank's part: what its result has at the place at hand.
struct RankPart {
  size_t rank;
  const void* at;
};
using Parts = std::vector<RankPart>;

// The parts at the place that f(address) gives in each of them.
template <class F>
Parts Below(const Parts& parts, F&& f) {
  Parts below;
  below.reserve(parts.size());
  for (const RankPart& part : parts) below.push_back({part.rank, f(part.at)});
  return below;
}

std::vector<const void*> Addresses(const Parts& parts) {
  std::vector<const void*> addresses;
  addresses.reserve(parts.size());
  for (const RankPart& part : parts) addresses.push_back(part.at);
  return addresses;
}

absl::Status Ragged(const Type& type, const RankPart& first, const RankPart& other) {
  return base::Refuse("ragged", absl::StrCat("rank ", other.rank, " gave ", codec::Describe(type, other.at), ", rank ",
                                             first.rank, " ", codec::Describe(type, first.at),
                                             ": element by element, all must have one shape and type"));
}

// Finds a part for which same(first, part) is false.
template <class Same>
absl::Status CheckAll(const Type& type, const Parts& parts, Same&& same) {
  for (const RankPart& part : parts) {
    if (!same(parts[0].at, part.at)) return Ragged(type, parts[0], part);
  }
  return absl::OkStatus();
}

// Checks that each rank's dict has all keys.
absl::Status CheckKeys(const Parts& dicts, const std::map<std::string, Parts>& by_key) {
  for (const auto& [key, have] : by_key) {
    for (size_t i = 0; i < dicts.size(); ++i) {
      if (i < have.size() && have[i].rank == dicts[i].rank) continue;
      return base::Refuse("key_mismatch", absl::StrCat("rank ", have[0].rank, " gave the key '", key, "', rank ",
                                                       dicts[i].rank, " did not: all ranks must give the same keys"));
    }
  }
  return absl::OkStatus();
}

DType DTypeOfResult(bool mean, DType dtype) {
  if (mean && !codec::IsFloating(dtype)) return DType::kFloat64;
  return dtype == DType::kBool ? DType::kInt64 : dtype;
}

// One call of JoinEach. Each of these joins what stands at `parts`, of type `type`, into `*to`.
class EachJoiner {
 public:
  explicit EachJoiner(bool mean) : mean_(mean) {}

  absl::Status Join(const Type& type, const Parts& parts, const Type& to_type, void* to) const {
    if (const auto format = FormatOf(type)) return Numbers({*format, 1}, Addresses(parts), to_type, to);
    switch (type.kind) {
      case Kind::kList:
      case Kind::kArrayRef:
        return List(type, parts, to_type, to);
      case Kind::kArray:
        return Items(*type.item, type.count, parts, *to_type.item, to);
      case Kind::kBools:
        return Bools(type, parts, to_type, to);
      case Kind::kTensor: {
        TWINKLE_ASSIGN_OR_RETURN(As<Tensor>(to), Tensors(type, parts));
        return absl::OkStatus();
      }
      case Kind::kRecord:
        return Record(type, parts, to);
      case Kind::kDict:
        return Dict(type, parts, to_type, to);
      case Kind::kValue: {
        TWINKLE_ASSIGN_OR_RETURN(As<Value>(to), Values(parts));
        return absl::OkStatus();
      }
      default:
        return NotNumeric(type, parts[0]);
    }
  }

 private:
  absl::Status NotNumeric(const Type& type, const RankPart& part) const {
    return base::Refuse("not_numeric",
                        absl::StrCat("rank ", part.rank, " gave ", codec::Describe(type, part.at),
                                     ": only numbers, tensors, and lists, dicts and structs of them can be ",
                                     mean_ ? "averaged" : "summed", " element by element"));
  }

  absl::Status Complex(const Type& type, const RankPart& part) const {
    return base::Refuse("not_numeric", absl::StrCat("rank ", part.rank, " gave ", codec::Describe(type, part.at),
                                                    ": complex numbers cannot be ", mean_ ? "averaged" : "summed"));
  }

  absl::Status Numbers(NumberRun run, const std::vector<const void*>& parts, const Type& to_type, void* to) const {
    const auto format = FormatOf(to_type);
    if (!format) return absl::InternalError(absl::StrCat("a sum cannot be put into ", to_type.name));
    if (SumEach(mean_, run, parts, *format, to)) return absl::OkStatus();
    return base::Refuse("overflow", absl::StrCat("a sum of integers does not fit into the ", to_type.name,
                                                 " that is to hold it: give the result a larger type"));
  }

  absl::Status Items(const Type& item, size_t count, const Parts& parts, const Type& to_item, void* to) const {
    if (const auto format = FormatOf(item)) return Numbers({*format, count}, Addresses(parts), to_item, to);
    for (size_t i = 0; i < count; ++i) {
      const Parts items =
          Below(parts, [&](const void* first) { return static_cast<const char*>(first) + i * item.size; });
      TWINKLE_RETURN_IF_ERROR(Join(item, items, to_item, static_cast<char*>(to) + i * to_item.size));
    }
    return absl::OkStatus();
  }

  absl::Status List(const Type& type, const Parts& parts, const Type& to_type, void* to) const {
    TWINKLE_RETURN_IF_ERROR(CheckAll(
        type, parts, [&](const void* first, const void* other) { return type.length(first) == type.length(other); }));
    const size_t count = type.length(parts[0].at);
    void* const items = to_type.resize(to, count);
    if (count == 0) return absl::OkStatus();
    const Parts from = Below(parts, [&](const void* list) { return type.data(codec::Mutable(list)); });
    return Items(*type.item, count, from, *to_type.item, items);
  }

  absl::Status Bools(const Type& type, const Parts& parts, const Type& to_type, void* to) const {
    TWINKLE_RETURN_IF_ERROR(CheckAll(
        type, parts, [&](const void* first, const void* other) { return type.length(first) == type.length(other); }));
    std::vector<std::string> bytes;
    bytes.reserve(parts.size());
    for (const RankPart& part : parts) bytes.push_back(type.to_bytes(part.at));
    std::vector<const void*> runs;
    runs.reserve(bytes.size());
    for (const std::string& run : bytes) runs.push_back(run.data());
    return Numbers({{DType::kBool}, bytes[0].size()}, runs, *to_type.item, to_type.resize(to, bytes[0].size()));
  }

  absl::StatusOr<Tensor> Tensors(const Type& type, const Parts& parts) const {
    for (const RankPart& part : parts) {
      if (!FormatOf(As<Tensor>(part.at).dtype())) return Complex(type, part);
    }
    TWINKLE_RETURN_IF_ERROR(CheckAll(type, parts, [](const void* first, const void* other) {
      return As<Tensor>(first).dtype() == As<Tensor>(other).dtype() &&
             As<Tensor>(first).shape() == As<Tensor>(other).shape();
    }));
    return SumOf(Below(parts, [](const void* tensor) { return &As<Tensor>(tensor); }));
  }
  absl::StatusOr<Tensor> SumOf(const Parts& tensors) const {
    std::vector<Tensor> packed;
    packed.reserve(tensors.size());
    std::vector<const void*> runs;
    runs.reserve(tensors.size());
    for (const RankPart& part : tensors) packed.push_back(As<Tensor>(part.at).Contiguous());
    for (const Tensor& tensor : packed) runs.push_back(tensor.raw());
    const DType dtype = DTypeOfResult(mean_, packed[0].dtype());
    TWINKLE_ASSIGN_OR_RETURN(Tensor sum, Tensor::Empty(dtype, packed[0].shape()));
    const NumberRun run{{packed[0].dtype()}, static_cast<size_t>(sum.size())};
    std::byte* const out = const_cast<std::byte*>(sum.raw());  // made above: nobody shares it yet
    if (SumEach(mean_, run, runs, {dtype}, out)) return sum;
    return base::Refuse("overflow", absl::StrCat("a sum of integers does not fit into an element of a ",
                                                 DTypeName(dtype), " tensor: give the result a larger dtype"));
  }

  // A struct stays what it is: a member of the result is where it is in what it goes to.
  absl::Status Record(const Type& type, const Parts& parts, void* to) const {
    absl::Status status;
    int index = 0;
    codec::EachMember(type, to, [&](void* member, const Type& member_type) {
      const ptrdiff_t offset = static_cast<char*>(member) - static_cast<char*>(to);
      const Parts members = Below(parts, [&](const void* p) { return static_cast<const char*>(p) + offset; });
      if (status.ok()) {
        status = base::Annotate(Join(member_type, members, member_type, member), absl::StrCat("member ", index));
      }
      ++index;
    });
    return status;
  }

  absl::Status Dict(const Type& type, const Parts& parts, const Type& to_type, void* to) const {
    if (!type.string_key || !to_type.string_key) return NotNumeric(type, parts[0]);
    std::map<std::string, Parts> by_key;
    for (const RankPart& part : parts) {
      codec::EachEntry(type, codec::Mutable(part.at), [&](void* key, void* value) {
        by_key[As<std::string>(key)].push_back({part.rank, value});
      });
    }
    TWINKLE_RETURN_IF_ERROR(CheckKeys(parts, by_key));
    absl::Status status;
    auto next = by_key.begin();
    codec::FillEntries(to_type, to, by_key.size(), [&](void* key, void* value) {
      As<std::string>(key) = next->first;
      status =
          base::Annotate(Join(*type.item, next->second, *to_type.item, value), absl::StrCat("at '", next->first, "'"));
      ++next;
      return status.ok();
    });
    return status;
  }

  // ---- the dynamic Value
  absl::StatusOr<Value> Values(const Parts& parts) const {
    const Value& first = As<Value>(parts[0].at);
    if (first.get_if<Value::Dict>() != nullptr) return ValueDicts(parts);
    if (ItemsOf(first) != nullptr) return ValueLists(parts);
    if (first.get_if<Tensor>() != nullptr) return ValueTensors(parts);
    return ValueNumbers(parts);
  }

  static const Value::List* ItemsOf(const Value& value) {
    if (const auto* list = value.get_if<Value::List>()) return list;
    const auto* tuple = value.get_if<Value::Tuple>();
    return tuple == nullptr ? nullptr : &tuple->items;
  }

  absl::StatusOr<Value> ValueDicts(const Parts& parts) const {
    std::map<std::string, Parts> by_key;
    for (const RankPart& part : parts) {
      const auto* dict = As<Value>(part.at).get_if<Value::Dict>();
      if (dict == nullptr) {
        return base::Refuse(
            "not_a_dict", absl::StrCat("rank ", part.rank, " gave ", codec::Describe(kType<Value>, part.at), ", rank ",
                                       parts[0].rank, " a dict: either all do, or none"));
      }
      for (const auto& [key, value] : *dict) by_key[key].push_back({part.rank, &value});
    }
    TWINKLE_RETURN_IF_ERROR(CheckKeys(parts, by_key));
    Value::Dict joined;
    for (const auto& [key, values] : by_key) {
      absl::StatusOr<Value> value = Values(values);
      if (!value.ok()) return base::Annotate(value.status(), absl::StrCat("at '", key, "'"));
      joined.emplace(key, *std::move(value));
    }
    return Value(std::move(joined));
  }

  absl::StatusOr<Value> ValueLists(const Parts& parts) const {
    const size_t count = ItemsOf(As<Value>(parts[0].at))->size();
    TWINKLE_RETURN_IF_ERROR(CheckAll(kType<Value>, parts, [&](const void*, const void* other) {
      const Value::List* items = ItemsOf(As<Value>(other));
      return items != nullptr && items->size() == count;
    }));
    Value::List joined;
    for (size_t i = 0; i < count; ++i) {
      TWINKLE_ASSIGN_OR_RETURN(joined.emplace_back(),
                               Values(Below(parts, [&](const void* list) { return &(*ItemsOf(As<Value>(list)))[i]; })));
    }
    return Value(std::move(joined));
  }

  absl::StatusOr<Value> ValueTensors(const Parts& parts) const {
    TWINKLE_RETURN_IF_ERROR(CheckAll(kType<Value>, parts, [](const void*, const void* other) {
      return As<Value>(other).get_if<Tensor>() != nullptr;
    }));
    TWINKLE_ASSIGN_OR_RETURN(
        Tensor sum,
        Tensors(kType<Tensor>, Below(parts, [](const void* value) { return As<Value>(value).get_if<Tensor>(); })));
    return Value(std::move(sum));
  }

  absl::StatusOr<Value> ValueNumbers(const Parts& parts) const {
    std::vector<double> numbers;
    std::vector<int64_t> integers;  // all of them, or there is a float among the numbers
    for (const RankPart& part : parts) {
      const Value& value = As<Value>(part.at);
      if (const auto* number = value.get_if<double>()) {
        numbers.push_back(*number);
        continue;
      }
      const auto* integer = value.get_if<int64_t>();
      const auto* truth = value.get_if<bool>();
      if (integer == nullptr && truth == nullptr) return NotANumber(parts[0], part);
      integers.push_back(integer != nullptr ? *integer : static_cast<int64_t>(*truth));
      numbers.push_back(static_cast<double>(integers.back()));
    }
    if (integers.size() < numbers.size()) return ValueSum<double>(DType::kFloat64, numbers);
    if (mean_) return ValueSum<double>(DType::kInt64, integers);
    return ValueSum<int64_t>(DType::kInt64, integers);
  }
  absl::Status NotANumber(const RankPart& first, const RankPart& part) const {
    const Value& value = As<Value>(part.at);
    if (value.is_null() || value.get_if<std::string>() != nullptr) return NotNumeric(kType<Value>, part);
    return Ragged(kType<Value>, first, part);
  }
  template <class Sum, class T>
  absl::StatusOr<Value> ValueSum(DType dtype, const std::vector<T>& numbers) const {
    std::vector<const void*> addresses;
    addresses.reserve(numbers.size());
    for (const T& number : numbers) addresses.push_back(&number);
    Sum sum{};
    TWINKLE_RETURN_IF_ERROR(Numbers({{dtype}, 1}, addresses, kType<Sum>, &sum));
    return Value(sum);
  }

  const bool mean_;
};

}  // namespace

absl::Status JoinEach(bool mean, const Type& result, const std::vector<void*>& results, const Type& collected,
                      void* out) {
  Parts parts;
  for (size_t rank = 0; rank < results.size(); ++rank) {
    if (results[rank] != nullptr) parts.push_back({rank, results[rank]});
  }
  return EachJoiner(mean).Join(result, parts, collected, out);
}

}  // namespace twinkle::dispatch
