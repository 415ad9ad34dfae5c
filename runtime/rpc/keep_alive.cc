#include "runtime/rpc/keep_alive.h"

#include <grpc/support/sync.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/server_builder_option.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/rpc/incoming.h"

// The socket mutator, a callback that gRPC calls for each socket. Its public interface takes a pointer to one, but no
// installed header declares the struct. A test looks at the sockets of real connections.
struct grpc_socket_mutator_vtable {                         // NOLINT(readability-identifier-naming): gRPC's name
  bool (*mutate_fd)(int fd, grpc_socket_mutator* mutator);  // for sockets that connect, and that listen
  int (*compare)(grpc_socket_mutator* a, grpc_socket_mutator* b);
  void (*destroy)(grpc_socket_mutator* mutator);
  bool (*mutate_fd_2)(const void* info, grpc_socket_mutator* mutator);  // called instead of the first, if not null
};
struct grpc_socket_mutator {
  const grpc_socket_mutator_vtable* vtable;
  gpr_refcount references;
};

namespace twinkle::rpc {
namespace {

int Seconds(absl::Duration duration) { return static_cast<int>(std::max<int64_t>(1, absl::ToInt64Seconds(duration))); }

// Sets keep-alive and name of each socket of a channel or server.
struct Mutator : grpc_socket_mutator {
  explicit Mutator(const KeepAlive& wanted) : grpc_socket_mutator{&kTable, {}}, keep_alive(wanted) {
    gpr_ref_init(&references, 1);
  }
  static bool Mutate(int fd, grpc_socket_mutator* mutator) {
    SetKeepAlive(fd, static_cast<Mutator*>(mutator)->keep_alive).IgnoreError();  // it works without keep-alive, too
    NameUnixSocket(fd);
    return true;
  }
  static int Compare(grpc_socket_mutator* a, grpc_socket_mutator* b) {
    const auto key = [](grpc_socket_mutator* mutator) {
      const KeepAlive& one = static_cast<Mutator*>(mutator)->keep_alive;
      return std::pair(one.time, one.timeout);
    };
    if (key(a) == key(b)) return 0;
    return key(a) < key(b) ? -1 : 1;
  }
  static void Destroy(grpc_socket_mutator* mutator) { delete static_cast<Mutator*>(mutator); }

  static constexpr grpc_socket_mutator_vtable kTable = {&Mutate, &Compare, &Destroy, nullptr};
  const KeepAlive keep_alive;
};

// The option of a server that sets its keep-alive.
class ServerKeepAlive final : public grpc::ServerBuilderOption {
 public:
  explicit ServerKeepAlive(const KeepAlive& keep_alive) : keep_alive_(keep_alive) {}
  void UpdateArguments(grpc::ChannelArguments* arguments) override { SetKeepAlive(*arguments, keep_alive_); }
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>*) override {}

 private:
  const KeepAlive keep_alive_;
};

}  // namespace

// TCP_USER_TIMEOUT decides when the connection breaks, both when it is idle and when sent bytes are not acknowledged.
absl::Status SetKeepAlive(int socket, const KeepAlive& keep_alive) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) {
    return absl::ErrnoToStatus(errno, "the kind of a socket");
  }
  if (domain != AF_INET && domain != AF_INET6) return absl::OkStatus();
  const struct {
    int level, name, value;
  } options[] = {
      {SOL_SOCKET, SO_KEEPALIVE, 1},
      {IPPROTO_TCP, TCP_KEEPIDLE, Seconds(keep_alive.time)},
      {IPPROTO_TCP, TCP_KEEPINTVL, 1},
      {IPPROTO_TCP, TCP_KEEPCNT, Seconds(keep_alive.timeout)},
      {IPPROTO_TCP, TCP_USER_TIMEOUT,
       static_cast<int>(absl::ToInt64Milliseconds(keep_alive.time + keep_alive.timeout))},
  };
  for (const auto& option : options) {
    if (::setsockopt(socket, option.level, option.name, &option.value, sizeof(option.value)) != 0) {
      return absl::ErrnoToStatus(errno, "the keep-alive of a socket");
    }
  }
  return absl::OkStatus();
}

void SetKeepAlive(grpc::ChannelArguments& arguments, const KeepAlive& keep_alive) {
  arguments.SetSocketMutator(new Mutator(keep_alive));  // the arguments own it
}

void SetKeepAlive(grpc::ServerBuilder& builder, const KeepAlive& keep_alive) {
  builder.SetOption(std::make_unique<ServerKeepAlive>(keep_alive));
}

}  // namespace twinkle::rpc
