// The kernel's keep-alive on real sockets, gRPC's own among them.
#include "runtime/rpc/keep_alive.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/generic/async_generic_service.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/rpc/channel.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

int OptionOf(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

// The user timeouts, in ms, of this process's TCP sockets that are connected.
std::vector<int> TimeoutsOfConnections() {
  std::vector<int> timeouts;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    sockaddr_storage peer{};  // gRPC's are of IPv6, whatever they reach
    socklen_t size = sizeof(peer);
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || peer.ss_family == AF_UNIX) continue;
    CHECK(OptionOf(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
    timeouts.push_back(OptionOf(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
  }
  return timeouts;
}

TEST_CASE("both ends of a gRPC connection have the keep-alive that they were given") {
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  SetKeepAlive(builder, {.time = absl::Seconds(2), .timeout = absl::Seconds(3)});
  builder.RegisterAsyncGenericService(&service);
  const auto completions = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  REQUIRE(server != nullptr);
  const auto channel = NewChannel(absl::StrCat("127.0.0.1:", port),
                                  {.keep_alive = {.time = absl::Seconds(4), .timeout = absl::Seconds(5)}});
  REQUIRE(WaitConnected(*channel, base::Now() + absl::Seconds(30)));
  CHECK_THAT(TimeoutsOfConnections(), Catch::Matchers::UnorderedEquals(std::vector<int>{5000, 9000}));
  server->Shutdown();
  completions->Shutdown();
  void* tag = nullptr;
  for (bool ok = false; completions->Next(&tag, &ok);) {
  }
}

TEST_CASE("a socket that is not TCP's stays as it is, and what is no socket is an error") {
  const base::Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK(SetKeepAlive(socket.get(), KeepAlive()).ok());
  CHECK(OptionOf(socket.get(), SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK_FALSE(SetKeepAlive(-1, KeepAlive()).ok());
}

}  // namespace
}  // namespace twinkle::rpc
