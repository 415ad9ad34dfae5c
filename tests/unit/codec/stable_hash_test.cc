#include "runtime/codec/stable_hash.h"

#include "tests/support/catch.h"

namespace twinkle::codec {
namespace {

template <class... Part>
uint64_t HashOf(Part... parts) {
  StableHash hash;
  (hash.Add(parts), ...);
  return hash.value();
}

TEST_CASE("a stable hash is FNV-1a of a text and its end, and of a number's bytes, the lowest first") {
  CHECK(HashOf() == 0xcbf29ce484222325);
  CHECK(HashOf("policy") == 0xc4b73d47aa57eb40);
  CHECK(HashOf(uint64_t{0x0102030405060708}) == 0x0c6d4496e17859d5);
}

TEST_CASE("texts do not run into each other") {
  CHECK(HashOf("ab", "c") != HashOf("a", "bc"));
  CHECK(HashOf("") != HashOf());
}

}  // namespace
}  // namespace twinkle::codec
