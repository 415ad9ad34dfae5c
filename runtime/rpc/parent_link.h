// Between a program and the services of its private cluster, which it starts: the token, whether they serve, and the
// end of either; why a service does not serve. A service is not the program's child for long: the program may wait for
// all children that it has.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <sys/types.h>

#include <string>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

// What a service of a private cluster is told.
struct PrivateRole {
  std::string token;
  std::string target;  // where the driver listens: a Unix socket
};

// ---- the service's side
class ParentLink {
 public:
  // Before the first thread. Reads the role from an inherited descriptor, and returns in a child of the process that
  // called, which ends: whoever inherits orphans is the service's parent from then on. The descriptor is the link's
  // then; where there is none it stays the caller's, to refuse with. Unavailable: the program is gone.
  static absl::StatusOr<ParentLink> Open(int fd);

  const PrivateRole& role() const { return role_; }
  // Tells the program that this process serves.
  void Ready() const;
  // Tells the program why this process, which then ends, does not serve. Before Open, too; `fd` as there, and open.
  static void Refuse(int fd, absl::string_view why);
  // Both can be read when the program is gone. The second, a pidfd, is not fooled by copies of the first in other
  // children of the program; invalid where the kernel has none.
  int fd() const { return fd_.get(); }
  int process_fd() const { return process_.get(); }
  // The program's number, as its own end of the socket has it; 0 where the kernel does not say.
  pid_t program() const;

 private:
  absl::Status Join();

  PrivateRole role_;
  base::Fd fd_;
  base::Fd process_;
};

// ---- the program's side
// The program's end of a service's link, before the service is started: who writes to it is known from then on.
absl::Status Prepare(int fd);
absl::Status SendRole(int fd, const PrivateRole& role);
// What has come of a service.
enum class ServiceState { kStarting, kReady, kEnded };
struct ServiceFacts {
  ServiceState state = ServiceState::kStarting;
  pid_t pid = 0;         // 0 before it has said so
  bool refuses = false;  // it does not serve, because of
  std::string reason;    // in its words
};
// Reads what the service has said since. Does not block.
void Update(int fd, ServiceFacts* facts);

}  // namespace twinkle::rpc
