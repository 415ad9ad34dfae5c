#include "runtime/base/bytes_text.h"

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("amounts of memory are read as people write them") {
  CHECK(ParseBytes("0").value() == 0);
  CHECK(ParseBytes("4096").value() == 4096);
  CHECK(ParseBytes("4096B").value() == 4096);
  CHECK(ParseBytes("64k").value() == 64 << 10);
  CHECK(ParseBytes("1.5 GiB").value() == uint64_t{3} << 29);
  CHECK(ParseBytes(" 2TB ").value() == uint64_t{2} << 40);
  for (const char* bad : {"", "G", "-1", "1X", "1GG", "1.2.3", "1e5", "99999999T", "0x10"}) {
    INFO(bad);
    CHECK(absl::IsInvalidArgument(ParseBytes(bad).status()));
  }
  CHECK(ParseBytes("8000000T").ok());
  CHECK(ParseBytes("99999999999G").status() ==
        absl::InvalidArgumentError("'99999999999G' is more memory than there can be: at most 8000000T"));
}

TEST_CASE("amounts of memory are written short") {
  CHECK(BytesText(0) == "0 B");
  CHECK(BytesText(1023) == "1023 B");
  CHECK(BytesText(64 << 10) == "64.0 KiB");
  CHECK(BytesText(uint64_t{3} << 29) == "1.5 GiB");
  CHECK(BytesText(uint64_t{1} << 63) == "8388608.0 TiB");
}

}  // namespace
}  // namespace twinkle::base
