// MachineProbe: asks the kernel of a machine whether a process still listens there.
#pragma once

#include <sys/socket.h>

#include <string>

#include "runtime/base/fd.h"
#include "runtime/rpc/grpc/redial.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::rpc {

// Asks by a connection that carries nothing. The kernel accepts it even if the process is stopped, and refuses it if
// nobody listens; a machine that cannot be reached does not answer. The connection is kept while it lasts, so that a
// process that is stopped for hours is not sent thousands. Does not block. For one thread at a time.
class MachineProbe {
 public:
  // `target`: "unix:PATH", "unix-abstract:NAME", or HOST:PORT with a numeric host. Other targets cannot be asked.
  explicit MachineProbe(const std::string& target, const KeepAlive& keep_alive = {});

  // The machine's answer as it is known now. To be called again and again.
  Redial::Machine Look();

 private:
  Redial::Machine Begin();
  Redial::Machine LookAtAnswer();
  Redial::Machine OnAnswer(int failed);  // `failed`: errno of connect
  // Whether the accepted connection still lasts.
  bool IsThere() const;

  const KeepAlive keep_alive_;
  sockaddr_storage address_ = {};
  socklen_t size_ = 0;  // 0: the target cannot be asked
  base::Fd socket_;
  bool taken_ = false;  // the kernel has accepted the connection
  int looks_ = 0;       // looks without an answer
};

// The numeric form of a target. `address` is where a connection to its host went, as gRPC writes it
// ("ipv4:10.0.0.2:4711", "ipv6:%5B::1%5D:4711"); if it is of another form the target is returned as it is.
std::string NumericTarget(const std::string& target, const std::string& address);

}  // namespace twinkle::rpc
