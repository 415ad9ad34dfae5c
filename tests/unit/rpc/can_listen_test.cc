#include "runtime/rpc/can_listen.h"

#include <absl/strings/match.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "runtime/rpc/fd_channel.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

// A listening socket at a port that the kernel chooses.
Fd Taken(int* port) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(socket.get(), 1) == 0);
  REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  *port = ntohs(address.sin_port);
  return socket;
}

TEST_CASE("a port that is taken is told of by number; once it is free it can be had") {
  int port = 0;
  Fd taken = Taken(&port);
  const absl::Status busy = CanListen({"127.0.0.1", port});
  CHECK(absl::IsAlreadyExists(busy));
  CHECK(busy.message() == "port " + std::to_string(port) + " of host 127.0.0.1 is in use");
  taken.Reset();
  CHECK(CanListen({"127.0.0.1", port}).ok());
  CHECK(CanListen({"localhost", 0}).ok());
}

TEST_CASE("a host that is none of this machine's, or none at all, is told of") {
  CHECK(absl::IsInvalidArgument(CanListen({"192.0.2.1", 0})));  // for documentation alone
  const absl::Status unknown = CanListen({"no-such-host.invalid", 0});
  CHECK(absl::IsInvalidArgument(unknown));
  CHECK(absl::StrContains(unknown.message(), "no-such-host.invalid"));
}

}  // namespace
}  // namespace twinkle::rpc
