// Where a server of the cluster accepts connections.
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
  std::string socket = {};  // "unix:PATH" or "unix-abstract:NAME"; empty: none
  std::string host = {};    // name or address; empty: no TCP
  int port = 0;             // 0: one that the kernel chooses
  StrangerLimits strangers = {};
  KeepAlive keep_alive = {};  // of TCP connections
};

// Accepts connections in a thread of its own and hands them to a gRPC server. gRPC's own listener (1.51) stops for good
// at the first accept that fails, as when no descriptor is left, and lets whoever connects take as much memory as it
// likes. Here accepting goes on, with descriptors that are held in reserve for it; and a connection whose calls have
// not shown what lets them in is a stranger, bounded in number, bytes and time (strangers.h). An abstract Unix socket
// lets all users of this machine connect, so there other users are strangers, too; only this process's user, and root,
// who could end it anyway, are accepted as they come. LetIn is thread-safe; all else is for the thread that owns it.
// Invariant:
//  LI1 accepting ends with Close, and not before: what keeps one connection from being accepted is tried again.
class Listener {
 public:
  // Binds all addresses of the host, and listens; blocks while its name is looked up. AlreadyExists: the port is in
  // use. InvalidArgument: the host is not known, or is not this machine's. PermissionDenied: the port is for root
  // alone.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(ListenerOptions options);
  ~Listener();

  // The TCP port; 0 without one.
  int port() const { return port_; }

  // Before the server is built, once.
  void Attach(grpc::ServerBuilder& builder);
  // Once the server has been started: begins to accept. ResourceExhausted: there is no thread for it.
  absl::Status Start();
  // Ends accepting; waits for the thread. Before the server is shut down. Idempotent.
  void Close();

  // A call has shown what lets its caller in: its connection is no stranger's any more. `peer` is what the call's
  // context says.
  void LetIn(const std::string& peer);

 private:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;
  struct Watched {
    base::Fd connection;  // of one that is served a descriptor of our own: gRPC has the other
    int listening;        // the socket that it came by
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
  int socket_fd_ = -1;  // among those: the Unix socket's
  std::unique_ptr<Acceptor> acceptor_;
  base::FdLoop loop_;
  std::thread thread_;
  std::vector<base::Fd> reserve_;  // the thread's
  bool ticking_ = false;           // the thread's
  bool flooded_ = false;     // the thread's: strangers have sent too much, since the last time that they owed nothing
  base::Instant last_tick_;  // the thread's
  absl::Duration slept_;     // the thread's: a pause of this process counts for no stranger's time
  Strangers::Id last_ = 0;   // the thread's

  base::Mutex mutex_;
  Strangers strangers_ ABSL_GUARDED_BY(mutex_);
  std::map<Strangers::Id, Watched> watched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc
