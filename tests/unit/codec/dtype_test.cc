#include "runtime/codec/dtype.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::codec {
namespace {

// numpy.promote_types(a, b).char of each two of NumPy 2.4's dtypes, which have these chars.
constexpr std::string_view kChars = "?bBhHiIlLefdFD";
constexpr std::array<std::string_view, kChars.size()> kNumPy = {
    "?bBhHiIlLefdFD",  // bool
    "bbhhiilldefdFD",  // int8
    "BhBhHiIlLefdFD",  // uint8
    "hhhhiilldffdFD",  // int16
    "HiHiHiIlLffdFD",  // uint16
    "iiiiiillddddDD",  // int32
    "IlIlIlIlLdddDD",  // uint32
    "llllllllddddDD",  // int64
    "LdLdLdLdLdddDD",  // uint64
    "eeeffddddefdFD",  // float16
    "fffffddddffdFD",  // float32
    "ddddddddddddDD",  // float64
    "FFFFFDDDDFFDFD",  // complex64
    "DDDDDDDDDDDDDD",  // complex128
};

DType Named(std::string_view name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (DTypeName(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  }
  FAIL(name);
  return DType::kBool;
}
DType OfChar(char letter) {
  static const std::map<char, const char*> kNames = {
      {'?', "bool"},    {'b', "int8"},    {'B', "uint8"},     {'h', "int16"},     {'H', "uint16"},
      {'i', "int32"},   {'I', "uint32"},  {'l', "int64"},     {'L', "uint64"},    {'e', "float16"},
      {'f', "float32"}, {'d', "float64"}, {'F', "complex64"}, {'D', "complex128"}};
  return Named(kNames.at(letter));
}
// Of two dtypes, in either order.
std::string MixOf(DType a, DType b) {
  CHECK(Promoted(a, b) == Promoted(b, a));
  return DTypeName(Promoted(a, b));
}

TEST_CASE("two dtypes that NumPy has mix as NumPy mixes them") {
  for (size_t a = 0; a < kChars.size(); ++a) {
    for (size_t b = 0; b < kChars.size(); ++b) {
      INFO(kChars[a] << " and " << kChars[b]);
      CHECK(MixOf(OfChar(kChars[a]), OfChar(kChars[b])) == DTypeName(OfChar(kNumPy[a][b])));
    }
  }
}

TEST_CASE("bfloat16 holds integers of 8 bits, and mixes with the others as float32 does") {
  const DType bfloat16 = DType::kBFloat16;
  for (const char* held : {"bool", "int8", "uint8", "bfloat16"}) CHECK(MixOf(bfloat16, Named(held)) == "bfloat16");
  for (const char* other :
       {"int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "complex64", "complex128"}) {
    CHECK(MixOf(bfloat16, Named(other)) == MixOf(DType::kFloat32, Named(other)));
  }
  CHECK(MixOf(bfloat16, DType::kFloat16) == "float32");
}

TEST_CASE("a float of 8 bits mixes with all but itself as float32 does") {
  for (const char* name : {"float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"}) {
    const DType small = Named(name);
    for (int i = 0; i < kDTypeCount; ++i) {
      const auto other = static_cast<DType>(i);
      INFO(name << " and " << DTypeName(other));
      CHECK(MixOf(small, other) == (other == small    ? name
                                    : IsFloat8(other) ? "float32"
                                                      : MixOf(DType::kFloat32, other)));
    }
  }
}

TEST_CASE("the visitor gives the C++ type of every dtype") {
  CHECK(kDTypeCount == 20);
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    WithElementType(dtype, [&]<class T>(std::type_identity<T>) {
      CHECK(internal::DTypeFor<T>::kValue == dtype);
      CHECK(static_cast<int64_t>(sizeof(T)) == SizeOf(dtype));
    });
  }
}

TEST_CASE("a double is rounded once on its way to a narrow float") {
  const double halfway = 1 + std::ldexp(1.0, -8);  // between two neighbours in bfloat16, of which 1 is the even one
  CHECK(Narrowed<BFloat16>(halfway).bits == 0x3f80);
  CHECK(Narrowed<BFloat16>(std::nextafter(halfway, 2)).bits == 0x3f81);
  CHECK(Narrowed<BFloat16>(-std::nextafter(halfway, 2)).bits == 0xbf81);
  CHECK(Narrowed<BFloat16>(std::nextafter(3 * halfway - 2, 0)).bits == 0x3f81);
  CHECK(Narrowed<BFloat16>(std::ldexp(1.0, 200)).bits == 0x7f80);
  CHECK(Narrowed<BFloat16>(std::ldexp(1.0, -200)).bits == 0);
  CHECK(Narrowed<Float16>(-std::numeric_limits<double>::infinity()).bits == 0xfc00);
  CHECK(std::isnan(static_cast<float>(Narrowed<Float8E4M3Fn>(std::nan("")))));
  CHECK(Narrowed<Float8E4M3Fn>(464 + 1e-12).bits == 0x7f);  // halfway to what would follow the largest, 448
}

TEST_CASE("the numbers of dtypes are what other processes take them for") {
  const std::vector<std::string> names = {
      "bool",        "uint8",           "int32",           "int64",          "bfloat16",  "float32",   "float64",
      "int8",        "int16",           "uint16",          "uint32",         "uint64",    "float16",   "float8_e4m3fn",
      "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "complex64", "complex128"};
  for (size_t i = 0; i < names.size(); ++i) CHECK(DTypeName(static_cast<DType>(i)) == names[i]);
}

}  // namespace
}  // namespace twinkle::codec
