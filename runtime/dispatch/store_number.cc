#include "runtime/dispatch/store_number.h"

#include <absl/strings/str_cat.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "runtime/base/status.h"

namespace twinkle::dispatch {
namespace {

using internal::As;
using internal::Kind;
using internal::NumberKind;
using internal::Type;

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

}  // namespace

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

absl::Status CannotHold(const Type& type) {
  return absl::InternalError(absl::StrCat("a collected result cannot be put into ", type.name));
}

}  // namespace twinkle::dispatch
