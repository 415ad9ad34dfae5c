#include "runtime/memory/mapped_files.h"

#include <array>

#include "tests/support/catch.h"

namespace twinkle::memory {
namespace {

TEST_CASE("a byte is in a mapped file from its first to its last, while that is mapped") {
  std::array<std::byte, 40> all{};
  MappedFiles files;
  CHECK_FALSE(files.Has(all.data()));
  files.Add(all.data() + 10, 10);
  files.Add(all.data() + 30, 5);
  CHECK_FALSE(files.Has(all.data() + 9));
  CHECK(files.Has(all.data() + 10));
  CHECK(files.Has(all.data() + 19));
  CHECK_FALSE(files.Has(all.data() + 20));
  CHECK(files.Has(all.data() + 34));
  CHECK_FALSE(files.Has(all.data() + 35));
  files.Remove(all.data() + 10);
  CHECK_FALSE(files.Has(all.data() + 10));
  CHECK(files.Has(all.data() + 30));
}

}  // namespace
}  // namespace twinkle::memory
