#include "runtime/rpc/incoming.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <string>

#include "runtime/base/fd.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

// A connection over a Unix socket whose name the kernel chose.
struct Connection {
  explicit Connection(bool named) {
    const base::Fd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    NameUnixSocket(listening.get());
    REQUIRE(::listen(listening.get(), 1) == 0);
    sockaddr_un address{};
    socklen_t size = sizeof(address);
    REQUIRE(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    client = base::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (named) NameUnixSocket(client.get());
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    server = base::Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(server.valid());
  }
  base::Fd client, server;
};

// The server's end of a connection over TCP that comes from there.
base::Fd ConnectionFrom(const std::string& host) {
  const bool v6 = absl::StrContains(host, ':');
  sockaddr_in6 six{};
  sockaddr_in four{};
  six.sin6_family = AF_INET6;
  four.sin_family = AF_INET;
  ::inet_pton(v6 ? AF_INET6 : AF_INET, host.c_str(), v6 ? static_cast<void*>(&six.sin6_addr) : &four.sin_addr);
  auto* const address = v6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
  socklen_t size = v6 ? sizeof(six) : sizeof(four);
  const base::Fd listening(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const base::Fd client(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(listening.get(), address, size) == 0);
  REQUIRE(::listen(listening.get(), 1) == 0);
  REQUIRE(::bind(client.get(), address, size) == 0);
  REQUIRE(::getsockname(listening.get(), address, &size) == 0);
  REQUIRE(::connect(client.get(), address, size) == 0);
  return base::Fd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

TEST_CASE("a Unix socket that was given a name is told from others, one that was not has none") {
  const Connection first(true), second(true), nameless(false);
  CHECK(absl::StartsWith(*PeerName(first.server.get()), "unix-abstract:"));
  CHECK(PeerName(first.server.get()) != PeerName(second.server.get()));
  CHECK(PeerName(nameless.server.get())->empty());
}

TEST_CASE("the other side of a Unix socket is of a user, or it is root; what has no user's name here is nobody's own") {
  constexpr uid_t kOverflowUser = 65534;
  const Connection connection(false);
  CHECK(IsOfUser(connection.server.get(), ::geteuid()) == (::geteuid() != kOverflowUser));
  CHECK(IsOfUser(connection.server.get(), 4711) == (::geteuid() == 0));
  const base::Fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK_FALSE(IsOfUser(tcp.get(), ::geteuid()));
}

TEST_CASE("a source is a user, an address, or an IPv6 network: whoever may have many names at once") {
  const Connection first(true), second(false);
  CHECK(SourceOf(first.server.get()) == absl::StrCat("user:", ::geteuid()));
  CHECK(SourceOf(first.server.get()) == SourceOf(second.server.get()));
  CHECK(SourceOf(ConnectionFrom("127.0.0.2").get()) == "ipv4:127.0.0.2");
  CHECK(SourceOf(ConnectionFrom("::ffff:127.0.0.2").get()) == "ipv4:127.0.0.2");
  CHECK(SourceOf(ConnectionFrom("::1").get()) == "ipv6:%5B::%5D");
}

TEST_CASE("bytes that were read of a Unix socket are counted, and its end is seen") {
  Connection connection(true);
  CountBytes(connection.server.get());
  std::array<char, 1000> bytes{};
  CHECK(ReceivedOn(connection.server.get()).bytes == 0);
  for (uint64_t i = 1; i <= 100; ++i) {
    REQUIRE(::write(connection.client.get(), bytes.data(), bytes.size()) == ssize_t{1000});
    REQUIRE(::read(connection.server.get(), bytes.data(), bytes.size()) == ssize_t{1000});
    CHECK(ReceivedOn(connection.server.get()).bytes == i * bytes.size());
  }
  CHECK_FALSE(ReceivedOn(connection.server.get()).ended);
  connection.client.Reset();
  CHECK(ReceivedOn(connection.server.get()).ended);
  CHECK(ReceivedOn(connection.server.get()).bytes == 100 * bytes.size());
}

}  // namespace
}  // namespace twinkle::rpc
