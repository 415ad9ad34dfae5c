#include "runtime/base/thrown.h"

#include <absl/status/status.h>
#include <absl/strings/match.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

// Each with the one before as its cause; the first is an int.
void ThrowNested(int depth) {
  if (depth == 0) throw 7;
  try {
    ThrowNested(depth - 1);
  } catch (...) {
    std::throw_with_nested(std::runtime_error(std::to_string(depth)));
  }
}

absl::Status StatusOfNested(int depth) {
  try {
    ThrowNested(depth);
    return absl::OkStatus();
  } catch (...) {
    return ThrownStatus();
  }
}

TEST_CASE("an exception says what it was caused by, and that its cause, whatever they are") {
  CHECK(StatusOfNested(2) == absl::UnknownError("2; caused by: 1; caused by: it threw an int: 7"));
}

TEST_CASE("an exception with room for a cause may have none") {
  try {
    std::throw_with_nested(std::runtime_error("alone"));
  } catch (...) {
    CHECK(ThrownStatus() == absl::UnknownError("alone"));
  }
}

TEST_CASE("of causes without end some are told") {
  const std::string told(StatusOfNested(1000).message());
  CHECK(absl::StartsWith(told, "1000; caused by: 999; "));
  CHECK(told.size() < 1000);
}

}  // namespace
}  // namespace twinkle::base
