// Of real sockets: what their kernel says.
#include "runtime/rpc/grpc/machine_probe.h"

#include <absl/strings/str_cat.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <thread>

#include "runtime/base/clock.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

using Machine = Redial::Machine;

// A process that listens, and never accepts: as one that is stopped.
base::Fd ListenStopped(int* port) {
  base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

bool Says(MachineProbe& probe, Machine wanted) {
  const base::Instant deadline = base::Now() + absl::Seconds(30);
  while (probe.Look() != wanted) {
    if (base::Now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_CASE("a process that is stopped is there, and is not once it is gone") {
  int port = 0;
  base::Fd process = ListenStopped(&port);
  MachineProbe probe(absl::StrCat("127.0.0.1:", port));
  CHECK(Says(probe, Machine::kHasIt));
  for (int i = 0; i < 100; ++i) CHECK(probe.Look() == Machine::kHasIt);  // by one connection
  process.Reset();
  CHECK(Says(probe, Machine::kRefuses));
}

TEST_CASE("so it is over Unix sockets") {
  base::Fd process(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = absl::StrCat("twinkle-probe-test-", ::getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  REQUIRE(::bind(process.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(process.get(), 1) == 0);
  MachineProbe probe("unix-abstract:" + name);
  CHECK(probe.Look() == Machine::kHasIt);
  process.Reset();
  CHECK(probe.Look() == Machine::kRefuses);
}

TEST_CASE("of what is no numeric address nothing is known") {
  for (const char* target : {"", "host.invalid:80", "127.0.0.1"}) {
    MachineProbe probe(target);
    CHECK(probe.Look() == Machine::kUnknown);
  }
  CHECK(MachineProbe("unix:").Look() != Machine::kHasIt);
}

TEST_CASE("a target's host is the one that its connection had") {
  CHECK(NumericTarget("a.example:80", "ipv4:10.0.0.2:4711") == "10.0.0.2:80");
  CHECK(NumericTarget("a.example:80", "ipv6:%5Bfe80::1%25eth0%5D:4711") == "[fe80::1%eth0]:80");
  CHECK(NumericTarget("a.example:80", "") == "a.example:80");
  CHECK(NumericTarget("unix:/a", "unix:") == "unix:/a");
  CHECK(NumericTarget("10.0.0.2:80", "ipv4:192.168.0.2:4711") == "10.0.0.2:80");  // it came from elsewhere
  CHECK(NumericTarget("[fe80::1]:80", "ipv6:%5Bfe80::2%5D:4711") == "[fe80::1]:80");
}

}  // namespace
}  // namespace twinkle::rpc
