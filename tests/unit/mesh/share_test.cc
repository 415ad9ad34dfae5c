#include "runtime/mesh/share.h"

#include <limits>
#include <random>

#include "tests/support/catch.h"

namespace twinkle::mesh {
namespace {

TEST_CASE("the lower takers get the longer shares") {
  CHECK(Share(7, 3, 0) == Range{0, 3});
  CHECK(Share(7, 3, 1) == Range{3, 5});
  CHECK(Share(7, 3, 2) == Range{5, 7});
  CHECK(Share(2, 3, 2) == Range{2, 2});
}

TEST_CASE("shares partition the range, evenly") {
  const auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const int64_t most = round % 2 == 0 ? 100 : std::numeric_limits<int64_t>::max();
    const int64_t length = std::uniform_int_distribution<int64_t>(0, most)(random);
    const int parts = std::uniform_int_distribution<int>(1, 40)(random);
    int64_t next = 0;
    for (int i = 0; i < parts; ++i) {
      const Range share = Share(length, parts, i);
      CHECK(share.begin == next);
      CHECK(share.size() == length / parts + (i < length % parts ? 1 : 0));
      next = share.end;
    }
    CHECK(next == length);
  }
}

TEST_CASE("a peer runs its share of the workers, or one of them") {
  CHECK(PeerShare(4, 0, 1) == Range{0, 4});  // the program: all
  CHECK(PeerShare(4, 1, 2) == Range{2, 4});
  CHECK(PeerShare(5, 1, 2) == Range{3, 5});
  CHECK(PeerShare(6, 5, 6) == Range{5, 6});
  CHECK(PeerShare(2, 3, 4) == Range{1, 2});  // fewer workers than callers
}

}  // namespace
}  // namespace twinkle::mesh
