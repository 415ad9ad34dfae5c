// Asks the kernel of a machine whether a process still listens there.
#pragma once

#include <sys/socket.h>

#include <string>

#include "runtime/base/fd.h"
#include "runtime/rpc/grpc/redial.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::rpc {

// By a connection that carries nothing: a kernel takes it for a process that is stopped, too, refuses it when nobody
// listens, and a machine that cannot be reached leaves it unanswered. It is kept while it lasts, so that one who is
// stopped for hours is not sent thousands. Not thread-safe; nothing blocks.
class MachineProbe {
 public:
  // `target`: "unix:PATH", "unix-abstract:NAME", or HOST:PORT with a numeric host; of anything else nothing is known.
  explicit MachineProbe(const std::string& target, const KeepAlive& keep_alive = {});

  // What is known now; called again and again.
  Redial::Machine Look();

 private:
  Redial::Machine Begin();
  Redial::Machine LookAtAnswer();
  Redial::Machine OnAnswer(int failed);  // errno of connect
  // Whether the connection that was taken is still there.
  bool IsThere() const;

  const KeepAlive keep_alive_;
  sockaddr_storage address_ = {};
  socklen_t size_ = 0;  // 0: nothing is known
  base::Fd socket_;
  bool taken_ = false;
  int looks_ = 0;  // without an answer
};

// The numeric form of a target that a connection to its host was made with, as gRPC writes it ("ipv4:10.0.0.2:4711",
// "ipv6:%5B::1%5D:4711"); the target itself when that says nothing.
std::string NumericTarget(const std::string& target, const std::string& address);

}  // namespace twinkle::rpc
