#include "runtime/rpc/protocol.h"

#include <absl/strings/str_cat.h>

#include <string>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("one protocol is spoken with, and another is named beside one's own") {
  CHECK(CheckProtocol("this", "that", absl::StrCat(kProtocol)).ok());
  const auto refusal = [](const std::string& said) {
    const absl::Status refused = CheckProtocol("this twinkle-driver", "who calls it", said);
    CHECK(absl::IsFailedPrecondition(refused));
    return std::string(refused.message());
  };
  const std::string begin = absl::StrCat("this twinkle-driver speaks protocol ", kProtocol, ", and who calls it ");
  const std::string end = ": install one build of Twinkle on all machines";
  CHECK(refusal("2") == absl::StrCat(begin, "protocol 2", end));
  CHECK(refusal("") == absl::StrCat(begin, "none that has a number", end));
  CHECK(refusal("\x1b[31m") == absl::StrCat(begin, "protocol \\x1b[31m", end));
  CHECK(refusal(std::string(1 << 20, '1')) == absl::StrCat(begin, "protocol ", std::string(20, '1'), end));
}

}  // namespace
}  // namespace twinkle::rpc
