// Types of the standard library and of Abseil that are sent without a word of the user's.
#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/node_hash_map.h>
#include <absl/time/time.h>

#include <chrono>
#include <complex>
#include <deque>
#include <filesystem>
#include <list>
#include <string>
#include <vector>

#include "runtime/codec/codec.h"
#include "tests/support/catch.h"

namespace twinkle::codec {
namespace {

struct Whole {
  static constexpr bool kTwinkleWhole = true;
  std::vector<int> list;
};

template <class T>
T RoundTrip(const T& value) {
  const absl::StatusOr<Encoded> encoded = Encode(Hold(value));
  REQUIRE(encoded.ok());
  absl::StatusOr<T> decoded = DecodeAs<T>(encoded->head, encoded->buffers);
  INFO(decoded.status());
  REQUIRE(decoded.ok());
  return *std::move(decoded);
}
template <class T>
void Comes(const T& value) {
  CHECK((RoundTrip(value) == value));
}

struct Member {
  std::chrono::milliseconds limit{0};
  std::deque<int> last;
  absl::Duration pause;
  bool operator==(const Member&) const = default;
};

TEST_CASE("durations and points in time come as they are") {
  Comes(std::chrono::nanoseconds(-5));
  Comes(std::chrono::duration<double>(1.5));
  Comes(std::vector<std::chrono::seconds>{std::chrono::seconds(1), std::chrono::seconds(2)});
  Comes(std::chrono::system_clock::time_point(std::chrono::hours(7)));
  for (absl::Duration duration : {absl::ZeroDuration(), absl::Nanoseconds(1) / 4, -absl::Nanoseconds(7) / 4,
                                  absl::Seconds(-3) + absl::Nanoseconds(1), absl::InfiniteDuration(),
                                  -absl::InfiniteDuration(), absl::Seconds(int64_t{1} << 62)}) {
    Comes(duration);
    Comes(absl::UnixEpoch() + duration);
  }
  CHECK(RoundTrip(absl::InfiniteFuture()) == absl::InfiniteFuture());
}

TEST_CASE("seconds and milliseconds are different types to two programs") {
  CHECK(Fingerprint(internal::kType<std::chrono::seconds>) != Fingerprint(internal::kType<std::chrono::milliseconds>));
}

TEST_CASE("lists, maps and sets of other libraries come as they are") {
  Comes(std::deque<std::string>{"a", "b"});
  Comes(std::deque<bool>{true, false});
  Comes(std::list<std::vector<int>>{{1}, {}});
  Comes(absl::flat_hash_map<std::string, int>{{"a", 1}, {"b", 2}});
  Comes(absl::node_hash_map<int, std::deque<int>>{{1, {2}}});
  Comes(absl::btree_map<std::string, double>{{"x", 1}});
  Comes(absl::flat_hash_set<int>{1, 2, 3});
  Comes(Member{std::chrono::milliseconds(3), {1, 2}, absl::Seconds(1)});
}

TEST_CASE("paths and complex numbers come as they are") {
  Comes(std::filesystem::path("/a/b.txt"));
  Comes(std::complex<float>(1, -2));
  Comes(std::vector<std::complex<double>>(1000, {3, 4}));
}

TEST_CASE("a string-keyed hash map has rows like any map, a struct that says it goes whole has none") {
  const absl::flat_hash_map<std::string, std::vector<int>> map = {{"a", {1, 2}}};
  CHECK(*CommonRows(RowsOf(internal::kType<absl::flat_hash_map<std::string, std::vector<int>>>, &map)) == 2);
  const Whole whole{{1, 2}};
  CHECK(LeafCount(RowsOf(internal::kType<Whole>, &whole)) == 0);
}

}  // namespace
}  // namespace twinkle::codec
