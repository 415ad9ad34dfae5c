// A wire between two processes of a test, which can be cut.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/mutex.h"

namespace twinkle::rpc {

// Listens on a TCP port of its own, and passes on what comes to a port of this machine, and back. Thread-safe.
class Wire {
 public:
  explicit Wire(int to_port);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int port() const { return port_; }

  // Both ends of every connection are reset before this returns. New ones are passed on.
  void Reset();
  // So are they whenever that many more bytes have passed, be it amid a frame.
  void ResetEvery(size_t bytes);
  // Connections stay, and bring nothing any more.
  void FallSilent();
  // Connections are refused, and those there are reset.
  void Unplug();
  // Connections are not answered, as by a machine that is gone, and those there are reset. For good.
  void Vanish();
  // How many connections were ever made.
  int connections() const;

 private:
  struct Connection {
    base::Fd near, far;
    std::string to_near, to_far;  // read, not written yet
  };
  void Run();
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False: the connection has ended.
  bool Pass(Connection& connection, short near_events, short far_events) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Move(int from, std::string& pending, int to) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ResetAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake() const;

  const int to_port_;
  int port_ = 0;
  const base::Fd wake_;
  mutable base::Mutex mutex_;
  base::Fd listener_ ABSL_GUARDED_BY(mutex_);
  base::Fd last_taken_ ABSL_GUARDED_BY(mutex_);  // fills the listener's queue, once it has vanished
  std::vector<std::unique_ptr<Connection>> connections_ ABSL_GUARDED_BY(mutex_);
  bool silent_ ABSL_GUARDED_BY(mutex_) = false;  // nothing is read, nobody accepted
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  size_t every_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: never
  size_t passed_ ABSL_GUARDED_BY(mutex_) = 0;
  int made_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;
};

}  // namespace twinkle::rpc
