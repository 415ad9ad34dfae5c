// Listener: accepts the connections of a gRPC server of the cluster.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <grpcpp/grpcpp.h>
#include <netdb.h>
#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/fd_loop.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/keep_alive.h"
#include "runtime/rpc/strangers.h"

namespace twinkle::rpc {

struct ListenerOptions {
  std::string socket = {};  // "unix:PATH" or "unix-abstract:NAME"; empty: no Unix socket
  std::string host = {};    // name or address to listen on; empty: no TCP
  int port = 0;             // 0: the kernel chooses one
  StrangerLimits strangers = {};
  KeepAlive keep_alive = {};  // of TCP connections
};

// Accepts connections in a thread of its own, and hands them to a gRPC server. gRPC's own listener (1.51) stops for
// good at the first accept that fails, for example when no descriptor is left. It also lets whoever connects take as
// much memory as it likes. This listener goes on accepting, with descriptors that it holds in reserve. A connection is
// a stranger until one of its calls has shown what lets it in; strangers are bounded in number, bytes and time
// (strangers.h). Any user of this machine can connect to an abstract Unix socket. So there other users are strangers,
// too; only this process's own user and root, who could end it anyway, are accepted at once. LetIn is thread-safe; all
// other functions are for one thread at a time. Invariant:
//  LI1 accepting ends with Close, and not before: what keeps one connection from being accepted is tried again.
class Listener {
 public:
  // Binds and listens on all addresses of the host. Blocks while the host's name is looked up. AlreadyExists: the port
  // is in use. InvalidArgument: the host is not known, or is not this machine's. PermissionDenied: the port is for root
  // alone. Other errors: why a socket cannot be made or bound.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(ListenerOptions options);
  ~Listener();

  // The TCP port; 0: the listener has none.
  int port() const { return port_; }

  // Makes the server take connections from this listener. Must be called once, before the server is built.
  void Attach(grpc::ServerBuilder& builder);
  // Begins to accept. Must be called once, after the server was started. ResourceExhausted: there is no thread for it.
  absl::Status Start();
  // Ends accepting, and waits for the thread. Must be called before the server is shut down. Further calls do nothing.
  void Close();

  // Takes a connection off the strangers, because a call on it has shown what lets its caller in. `peer` is
  // ServerContext::peer() of that call.
  void LetIn(const std::string& peer);

 private:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;
  // The connection of a stranger.
  struct Watched {
    base::Fd connection;  // a stranger that is served has two descriptors: this one, and gRPC's
    int listening;        // the listening socket that accepted it
  };

  explicit Listener(ListenerOptions options);
  absl::Status ListenOnSocket();
  absl::Status ListenOnPort();
  absl::Status ListenOnAll(const addrinfo* addresses);
  void Accept(int listening);
  bool AcceptOne(int listening);
  bool MayAccept(int listening);
  bool MakeRoom(int listening);
  void AcceptLater(int listening);
  void ReceiveLocal(base::Fd connection);
  void ReceiveRemote(base::Fd connection, int listening);
  void Receive(base::Fd connection, int listening);
  void ServeStrangers();
  base::Fd Another(const base::Fd& connection);
  void HandOver(base::Fd connection, int listening);
  void ShowOut(Strangers::Id id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tick();
  base::Instant AwakeNow();
  void Look(Strangers::Id id, base::Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FillReserve();

  const ListenerOptions options_;
  const uid_t user_;
  int port_ = 0;
  std::vector<base::Fd> listening_;
  int socket_fd_ = -1;  // the Unix socket among them
  std::unique_ptr<Acceptor> acceptor_;
  base::FdLoop loop_;
  std::thread thread_;
  std::vector<base::Fd> reserve_;  // descriptors to free when no other is left; the thread's
  bool ticking_ = false;           // whether a Tick is due; the thread's
  bool flooded_ = false;           // strangers have sent too much since they last owed nothing; the thread's
  base::Instant last_tick_;        // time of the last AwakeNow; the thread's
  absl::Duration slept_;           // pauses of this process, which count for no stranger's time; the thread's
  Strangers::Id last_ = 0;         // id of the latest stranger; the thread's

  base::Mutex mutex_;
  Strangers strangers_ ABSL_GUARDED_BY(mutex_);
  std::map<Strangers::Id, Watched> watched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc
