#include "runtime/rpc/address.h"

#include <string>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("HOST:PORT is taken apart, with brackets around an address that has colons") {
  CHECK(ParseHostPort("gpu-1:7077", "--driver")->host == "gpu-1");
  CHECK(ParseHostPort("[::1]:7077", "--driver")->host == "::1");
  CHECK(ParseHostPort("[::1]:7077", "--driver")->port == 7077);
  CHECK(ParseHostPort("127.0.0.1:0", "--listen", /*any_port=*/true)->port == 0);
}

TEST_CASE("what is no HOST:PORT is refused by a sentence that names the option and what is wrong") {
  for (const char* bad :
       {"", "gpu-1", "gpu-1:", ":7077", "gpu-1:x", "gpu-1:0", "gpu-1:70777", "gpu-1:-1", "::1:7077", "[]:1"}) {
    CAPTURE(bad);
    const absl::Status why = ParseHostPort(bad, "--driver").status();
    CHECK(absl::IsInvalidArgument(why));
    CHECK(std::string(why.message()).find("--driver is HOST:PORT") == 0);
  }
}

TEST_CASE("an address is put together so that it can be taken apart again") {
  CHECK(JoinHostPort("gpu-1", 7077) == "gpu-1:7077");
  CHECK(JoinHostPort("::1", 7077) == "[::1]:7077");
  CHECK(JoinHostPort("[::1]", 7077) == "[::1]:7077");
  CHECK(HostOf("[::1]:7077") == "::1");
  CHECK(HostOf("gpu-1:7077") == "gpu-1");
  CHECK(WithoutBrackets("[::1]") == "::1");
  CHECK(WithoutBrackets("::1") == "::1");
  CHECK(WithoutBrackets("[").size() == 1);
}

}  // namespace
}  // namespace twinkle::rpc
