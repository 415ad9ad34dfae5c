// Floats of 8 and 16 bits, from and to float. The tables are what ml_dtypes 0.6.0 makes of the same bits.
#include <twinkle/dtype.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle {
namespace {

// The upper 16 bits, in hex, of the float that each pattern from 0 on is; the lower ones are 0.
constexpr const char kE4M3Fn[] =
    "00003b003b803bc03c003c203c403c603c803c903ca03cb03cc03cd03ce03cf03d003d103d203d303d403d503d603d703d803d903da03db0"
    "3dc03dd03de03df03e003e103e203e303e403e503e603e703e803e903ea03eb03ec03ed03ee03ef03f003f103f203f303f403f503f603f70"
    "3f803f903fa03fb03fc03fd03fe03ff0400040104020403040404050406040704080409040a040b040c040d040e040f04100411041204130"
    "41404150416041704180419041a041b041c041d041e041f0420042104220423042404250426042704280429042a042b042c042d042e042f0"
    "430043104320433043404350436043704380439043a043b043c043d043e07fc08000bb00bb80bbc0bc00bc20bc40bc60bc80bc90bca0bcb0"
    "bcc0bcd0bce0bcf0bd00bd10bd20bd30bd40bd50bd60bd70bd80bd90bda0bdb0bdc0bdd0bde0bdf0be00be10be20be30be40be50be60be70"
    "be80be90bea0beb0bec0bed0bee0bef0bf00bf10bf20bf30bf40bf50bf60bf70bf80bf90bfa0bfb0bfc0bfd0bfe0bff0c000c010c020c030"
    "c040c050c060c070c080c090c0a0c0b0c0c0c0d0c0e0c0f0c100c110c120c130c140c150c160c170c180c190c1a0c1b0c1c0c1d0c1e0c1f0"
    "c200c210c220c230c240c250c260c270c280c290c2a0c2b0c2c0c2d0c2e0c2f0c300c310c320c330c340c350c360c370c380c390c3a0c3b0"
    "c3c0c3d0c3e07fc0";
constexpr const char kE5M2[] =
    "0000378038003840388038a038c038e03900392039403960398039a039c039e03a003a203a403a603a803aa03ac03ae03b003b203b403b60"
    "3b803ba03bc03be03c003c203c403c603c803ca03cc03ce03d003d203d403d603d803da03dc03de03e003e203e403e603e803ea03ec03ee0"
    "3f003f203f403f603f803fa03fc03fe04000402040404060408040a040c040e04100412041404160418041a041c041e04200422042404260"
    "428042a042c042e04300432043404360438043a043c043e04400442044404460448044a044c044e04500452045404560458045a045c045e0"
    "4600462046404660468046a046c046e047004720474047607f807fc07fc07fc08000b780b800b840b880b8a0b8c0b8e0b900b920b940b960"
    "b980b9a0b9c0b9e0ba00ba20ba40ba60ba80baa0bac0bae0bb00bb20bb40bb60bb80bba0bbc0bbe0bc00bc20bc40bc60bc80bca0bcc0bce0"
    "bd00bd20bd40bd60bd80bda0bdc0bde0be00be20be40be60be80bea0bec0bee0bf00bf20bf40bf60bf80bfa0bfc0bfe0c000c020c040c060"
    "c080c0a0c0c0c0e0c100c120c140c160c180c1a0c1c0c1e0c200c220c240c260c280c2a0c2c0c2e0c300c320c340c360c380c3a0c3c0c3e0"
    "c400c420c440c460c480c4a0c4c0c4e0c500c520c540c560c580c5a0c5c0c5e0c600c620c640c660c680c6a0c6c0c6e0c700c720c740c760"
    "ff807fc07fc07fc0";
constexpr const char kE4M3Fnuz[] =
    "00003a803b003b403b803ba03bc03be03c003c103c203c303c403c503c603c703c803c903ca03cb03cc03cd03ce03cf03d003d103d203d30"
    "3d403d503d603d703d803d903da03db03dc03dd03de03df03e003e103e203e303e403e503e603e703e803e903ea03eb03ec03ed03ee03ef0"
    "3f003f103f203f303f403f503f603f703f803f903fa03fb03fc03fd03fe03ff0400040104020403040404050406040704080409040a040b0"
    "40c040d040e040f0410041104120413041404150416041704180419041a041b041c041d041e041f042004210422042304240425042604270"
    "4280429042a042b042c042d042e042f0430043104320433043404350436043707fc0ba80bb00bb40bb80bba0bbc0bbe0bc00bc10bc20bc30"
    "bc40bc50bc60bc70bc80bc90bca0bcb0bcc0bcd0bce0bcf0bd00bd10bd20bd30bd40bd50bd60bd70bd80bd90bda0bdb0bdc0bdd0bde0bdf0"
    "be00be10be20be30be40be50be60be70be80be90bea0beb0bec0bed0bee0bef0bf00bf10bf20bf30bf40bf50bf60bf70bf80bf90bfa0bfb0"
    "bfc0bfd0bfe0bff0c000c010c020c030c040c050c060c070c080c090c0a0c0b0c0c0c0d0c0e0c0f0c100c110c120c130c140c150c160c170"
    "c180c190c1a0c1b0c1c0c1d0c1e0c1f0c200c210c220c230c240c250c260c270c280c290c2a0c2b0c2c0c2d0c2e0c2f0c300c310c320c330"
    "c340c350c360c370";
constexpr const char kE5M2Fnuz[] =
    "00003700378037c03800382038403860388038a038c038e03900392039403960398039a039c039e03a003a203a403a603a803aa03ac03ae0"
    "3b003b203b403b603b803ba03bc03be03c003c203c403c603c803ca03cc03ce03d003d203d403d603d803da03dc03de03e003e203e403e60"
    "3e803ea03ec03ee03f003f203f403f603f803fa03fc03fe04000402040404060408040a040c040e04100412041404160418041a041c041e0"
    "4200422042404260428042a042c042e04300432043404360438043a043c043e04400442044404460448044a044c044e04500452045404560"
    "458045a045c045e04600462046404660468046a046c046e047004720474047607fc0b700b780b7c0b800b820b840b860b880b8a0b8c0b8e0"
    "b900b920b940b960b980b9a0b9c0b9e0ba00ba20ba40ba60ba80baa0bac0bae0bb00bb20bb40bb60bb80bba0bbc0bbe0bc00bc20bc40bc60"
    "bc80bca0bcc0bce0bd00bd20bd40bd60bd80bda0bdc0bde0be00be20be40be60be80bea0bec0bee0bf00bf20bf40bf60bf80bfa0bfc0bfe0"
    "c000c020c040c060c080c0a0c0c0c0e0c100c120c140c160c180c1a0c1c0c1e0c200c220c240c260c280c2a0c2c0c2e0c300c320c340c360"
    "c380c3a0c3c0c3e0c400c420c440c460c480c4a0c4c0c4e0c500c520c540c560c580c5a0c5c0c5e0c600c620c640c660c680c6a0c6c0c6e0"
    "c700c720c740c760";
constexpr const char kE8M0Fnu[] =
    "004000800100018002000280030003800400048005000580060006800700078008000880090009800a000a800b000b800c000c800d000d80"
    "0e000e800f000f80100010801100118012001280130013801400148015001580160016801700178018001880190019801a001a801b001b80"
    "1c001c801d001d801e001e801f001f8020002080210021802200228023002380240024802500258026002680270027802800288029002980"
    "2a002a802b002b802c002c802d002d802e002e802f002f803000308031003180320032803300338034003480350035803600368037003780"
    "38003880390039803a003a803b003b803c003c803d003d803e003e803f003f80400040804100418042004280430043804400448045004580"
    "460046804700478048004880490049804a004a804b004b804c004c804d004d804e004e804f004f8050005080510051805200528053005380"
    "5400548055005580560056805700578058005880590059805a005a805b005b805c005c805d005d805e005e805f005f806000608061006180"
    "62006280630063806400648065006580660066806700678068006880690069806a006a806b006b806c006c806d006d806e006e806f006f80"
    "700070807100718072007280730073807400748075007580760076807700778078007880790079807a007a807b007b807c007c807d007d80"
    "7e007e807f007fc0";

// What a float becomes: zeros, infinities and nans, the largest number, what lies halfway beyond it and beside that,
// the largest float, the least number, its half and what is beside that, the least float, 1.
struct Edge {
  uint32_t number;
  uint32_t bits;
};
constexpr Edge kE4M3FnEdges[] = {
    {0x00000000, 0x00}, {0x80000000, 0x80}, {0x7f800000, 0x7f}, {0xff800000, 0xff}, {0x7fc00000, 0x7f},
    {0xffc00000, 0xff}, {0x43e00000, 0x7e}, {0xc3e00000, 0xfe}, {0x43e80000, 0x7e}, {0x43e7ffff, 0x7e},
    {0x43e80001, 0x7f}, {0xc3e80000, 0xfe}, {0x7f7fffff, 0x7f}, {0x3b000000, 0x01}, {0xbb000000, 0x81},
    {0x3a800000, 0x00}, {0x3a800001, 0x01}, {0xba800000, 0x80}, {0x00000001, 0x00}, {0x80000001, 0x80},
    {0x3f800000, 0x38}, {0xbf800000, 0xb8},
};
constexpr Edge kE5M2Edges[] = {
    {0x00000000, 0x00}, {0x80000000, 0x80}, {0x7f800000, 0x7c}, {0xff800000, 0xfc}, {0x7fc00000, 0x7e},
    {0xffc00000, 0xfe}, {0x47600000, 0x7b}, {0xc7600000, 0xfb}, {0x47700000, 0x7c}, {0x476fffff, 0x7b},
    {0x47700001, 0x7c}, {0xc7700000, 0xfc}, {0x7f7fffff, 0x7c}, {0x37800000, 0x01}, {0xb7800000, 0x81},
    {0x37000000, 0x00}, {0x37000001, 0x01}, {0xb7000000, 0x80}, {0x00000001, 0x00}, {0x80000001, 0x80},
    {0x3f800000, 0x3c}, {0xbf800000, 0xbc},
};
constexpr Edge kE4M3FnuzEdges[] = {
    {0x00000000, 0x00}, {0x80000000, 0x00}, {0x7f800000, 0x80}, {0xff800000, 0x80}, {0x7fc00000, 0x80},
    {0xffc00000, 0x80}, {0x43700000, 0x7f}, {0xc3700000, 0xff}, {0x43780000, 0x80}, {0x4377ffff, 0x7f},
    {0x43780001, 0x80}, {0xc3780000, 0x80}, {0x7f7fffff, 0x80}, {0x3a800000, 0x01}, {0xba800000, 0x81},
    {0x3a000000, 0x00}, {0x3a000001, 0x01}, {0xba000000, 0x00}, {0x00000001, 0x00}, {0x80000001, 0x00},
    {0x3f800000, 0x40}, {0xbf800000, 0xc0},
};
constexpr Edge kE5M2FnuzEdges[] = {
    {0x00000000, 0x00}, {0x80000000, 0x00}, {0x7f800000, 0x80}, {0xff800000, 0x80}, {0x7fc00000, 0x80},
    {0xffc00000, 0x80}, {0x47600000, 0x7f}, {0xc7600000, 0xff}, {0x47700000, 0x80}, {0x476fffff, 0x7f},
    {0x47700001, 0x80}, {0xc7700000, 0x80}, {0x7f7fffff, 0x80}, {0x37000000, 0x01}, {0xb7000000, 0x81},
    {0x36800000, 0x00}, {0x36800001, 0x01}, {0xb6800000, 0x00}, {0x00000001, 0x00}, {0x80000001, 0x00},
    {0x3f800000, 0x40}, {0xbf800000, 0xc0},
};
constexpr Edge kE8M0FnuEdges[] = {
    {0x00000000, 0xff}, {0x80000000, 0xff}, {0x7f800000, 0xff}, {0xff800000, 0xff}, {0x7fc00000, 0xff},
    {0xffc00000, 0xff}, {0x7f000000, 0xfe}, {0xff000000, 0xff}, {0x7f400000, 0xff}, {0x7f3fffff, 0xfe},
    {0x7f400001, 0xff}, {0xff400000, 0xff}, {0x7f7fffff, 0xff}, {0x00400000, 0x00}, {0x80400000, 0xff},
    {0x00200000, 0x00}, {0x00200001, 0x00}, {0x80200000, 0xff}, {0x00000001, 0x00}, {0x80000001, 0xff},
    {0x3f800000, 0x7f}, {0xbf800000, 0xff},
};

template <class T>
T OfBits(uint32_t bits) {
  T number;
  number.bits = static_cast<typename T::Bits>(bits);
  return number;
}
template <class T>
float FloatOfBits(uint32_t bits) {
  return static_cast<float>(OfBits<T>(bits));
}

float Expected(std::string_view table, uint32_t pattern) {
  uint32_t upper = 0;
  std::from_chars(table.data() + 4 * pattern, table.data() + 4 * pattern + 4, upper, 16);
  return std::bit_cast<float>(upper << 16);
}

// Numbers by their bits, so that -0 is not 0; nan is any nan.
bool SameBits(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

template <class T>
void CheckTable(std::string_view table) {
  REQUIRE(table.size() == 4 * 256);
  for (uint32_t bits = 0; bits < 256; ++bits) {
    const float number = FloatOfBits<T>(bits);
    if (!SameBits(number, Expected(table, bits))) FAIL("0x" << std::hex << bits << " becomes " << number);
    if (std::isnan(number)) continue;
    if (T(number).bits != bits) FAIL("0x" << std::hex << bits << " comes back as 0x" << +T(number).bits);
  }
}

TEST_CASE("every float of 8 bits is the float that ml_dtypes makes of it, and comes back from it") {
  CheckTable<Float8E4M3Fn>(kE4M3Fn);
  CheckTable<Float8E5M2>(kE5M2);
  CheckTable<Float8E4M3Fnuz>(kE4M3Fnuz);
  CheckTable<Float8E5M2Fnuz>(kE5M2Fnuz);
  CheckTable<Float8E8M0Fnu>(kE8M0Fnu);
}

template <class T>
void CheckEdges(std::span<const Edge> edges) {
  for (const Edge& edge : edges) {
    const float number = std::bit_cast<float>(edge.number);
    INFO(number);
    CHECK(uint32_t{T(number).bits} == edge.bits);
  }
}

TEST_CASE("at the ends of its range a float of 8 bits becomes what ml_dtypes makes of it") {
  CheckEdges<Float8E4M3Fn>(kE4M3FnEdges);
  CheckEdges<Float8E5M2>(kE5M2Edges);
  CheckEdges<Float8E4M3Fnuz>(kE4M3FnuzEdges);
  CheckEdges<Float8E5M2Fnuz>(kE5M2FnuzEdges);
  CheckEdges<Float8E8M0Fnu>(kE8M0FnuEdges);
}

// Between each two neighbours: halfway goes to the even one, what is beside that to the nearer one, with either sign.
template <class T>
void CheckRounding(uint32_t first, uint32_t end) {
  for (uint32_t bits = first; bits + 1 < end; ++bits) {
    const float halfway = (FloatOfBits<T>(bits) + FloatOfBits<T>(bits + 1)) / 2;
    const uint32_t even = bits + bits % 2;
    const std::vector<Edge> near = {{std::bit_cast<uint32_t>(halfway), even},
                                    {std::bit_cast<uint32_t>(halfway) - 1, bits},
                                    {std::bit_cast<uint32_t>(halfway) + 1, bits + 1}};
    for (const auto& [number, expected] : near) {
      const float float_number = std::bit_cast<float>(number);
      if (T(float_number).bits != expected) FAIL(float_number << " becomes 0x" << std::hex << +T(float_number).bits);
      if (static_cast<float>(T(-float_number)) != -FloatOfBits<T>(expected)) FAIL("-" << float_number);
    }
  }
}

TEST_CASE("between two neighbours a float goes to the nearer one, from halfway to the even one") {
  CheckRounding<Float8E4M3Fn>(0, 0x7f);
  CheckRounding<Float8E5M2>(0, 0x7c);
  CheckRounding<Float8E4M3Fnuz>(0, 0x80);
  CheckRounding<Float8E5M2Fnuz>(0, 0x80);
  CheckRounding<Float16>(0, 0x7c00);
}

TEST_CASE("powers of two: halfway goes to the larger one") {
  for (uint32_t bits = 0; bits < 0xfe; ++bits) {
    const float halfway = 1.5F * FloatOfBits<Float8E8M0Fnu>(bits);
    CHECK(Float8E8M0Fnu(halfway).bits == bits + 1);
    CHECK(Float8E8M0Fnu(std::nextafter(halfway, 0.0F)).bits == bits);
  }
}

TEST_CASE("every float16 is the number that its fields say, and survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const int mantissa = static_cast<int>(bits & 1023);
    const float number = FloatOfBits<Float16>(bits);
    if (exponent == 31 && mantissa != 0) {
      const uint32_t quiet = bits | 0x200;  // a signalling nan becomes a quiet one
      if (!std::isnan(number) || Float16(number).bits != quiet) FAIL("0x" << std::hex << bits);
      continue;
    }
    const float magnitude = exponent == 31  ? std::numeric_limits<float>::infinity()
                            : exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                            : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
    if (!SameBits(number, bits < 0x8000 ? magnitude : -magnitude)) FAIL("0x" << std::hex << bits << ": " << number);
    if (Float16(number).bits != bits) FAIL("0x" << std::hex << bits << " becomes 0x" << Float16(number).bits);
  }
}

TEST_CASE("float16 ends at 65504: from 65520 on it is infinite") {
  CHECK(Float16(65504.0F).bits == 0x7bff);
  CHECK(Float16(std::nextafter(65520.0F, 0.0F)).bits == 0x7bff);
  CHECK(Float16(65520.0F).bits == 0x7c00);
  CHECK(Float16(-std::numeric_limits<float>::max()).bits == 0xfc00);
  CHECK(Float16(std::ldexp(1.0F, -25)).bits == 0);
  CHECK(Float16(std::numeric_limits<float>::denorm_min()).bits == 0);
}

}  // namespace
}  // namespace twinkle
