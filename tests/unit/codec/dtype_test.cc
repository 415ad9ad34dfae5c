#include "runtime/codec/dtype.h"

#include <array>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::codec {
namespace {

// numpy.promote_types of each two of the first row; bfloat16, which NumPy does not have, is float32 among the wide
// integers, and float32 wins over it.
constexpr std::array<const char*, kDTypeCount> kTable = {
    "bool uint8 int32 int64 bfloat16 float32 float64",   // bool
    "uint8 uint8 int32 int64 bfloat16 float32 float64",  // uint8
    "int32 int32 int32 int64 float64 float64 float64",   // int32
    "int64 int64 int64 int64 float64 float64 float64",   // int64
    "bfloat16 bfloat16 float64 float64 bfloat16 float32 float64",
    "float32 float32 float64 float64 float32 float32 float64",
    "float64 float64 float64 float64 float64 float64 float64",
};

TEST_CASE("two dtypes mix to the smallest that holds what both hold, as in NumPy, in either order") {
  for (int a = 0; a < kDTypeCount; ++a) {
    std::string row;
    for (int b = 0; b < kDTypeCount; ++b) {
      const DType mixed = Promoted(static_cast<DType>(a), static_cast<DType>(b));
      CHECK(mixed == Promoted(static_cast<DType>(b), static_cast<DType>(a)));
      row.append(b == 0 ? "" : " ").append(DTypeName(mixed));
    }
    CHECK(row == kTable[static_cast<size_t>(a)]);
  }
}

}  // namespace
}  // namespace twinkle::codec
