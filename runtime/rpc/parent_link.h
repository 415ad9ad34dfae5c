// ParentLink: the link between a program and a service of its private cluster, which the program starts. It carries the
// token, whether the service serves or why not, and the end of either. A service does not stay the program's child,
// because the program may wait for all children that it has.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <sys/types.h>

#include <string>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

// The role of a service in a private cluster, which the program sends it.
struct PrivateRole {
  std::string token;
  std::string target;  // Unix socket on which the driver listens
};

// ---- the service's side
// The service's end of its link with the program. For one thread at a time.
class ParentLink {
 public:
  // Reads the role from an inherited descriptor. Must be called before the first thread. The calling process ends, and
  // Open returns in a child of it, whose parent is then whoever inherits orphans. Afterwards the link owns the
  // descriptor; on an error the caller still owns it, and can Refuse with it. Unavailable: the program is gone.
  // InvalidArgument: it has sent no role.
  static absl::StatusOr<ParentLink> Open(int fd);

  const PrivateRole& role() const { return role_; }
  // Tells the program that this process serves.
  void Ready() const;
  // Tells the program why this process does not serve; the process should then end. May be called before Open, too.
  // `fd`: as for Open; it must be open.
  static void Refuse(int fd, absl::string_view why);
  // Two descriptors that can be read when the program is gone. The second is a pidfd, which copies of the first in
  // other children of the program do not mislead; it is invalid where the kernel has none.
  int fd() const { return fd_.get(); }
  int process_fd() const { return process_.get(); }
  // The program's process number, from the socket's peer credentials; 0: the kernel does not say.
  pid_t program() const;

 private:
  absl::Status Join();

  PrivateRole role_;
  base::Fd fd_;
  base::Fd process_;
};

// ---- the program's side
// Prepares the program's end of a link, so that the sender of each message is known (SO_PASSCRED). Must be called
// before the service is started. Errors: those of setsockopt.
absl::Status Prepare(int fd);
// Sends the role to the service. Unavailable: the service has ended.
absl::Status SendRole(int fd, const PrivateRole& role);

// The state of a service, as the program knows it.
enum class ServiceState { kStarting, kReady, kEnded };
struct ServiceFacts {
  ServiceState state = ServiceState::kStarting;
  pid_t pid = 0;         // 0: the service has not started yet
  bool refuses = false;  // whether it has refused to serve
  std::string reason;    // why, in the service's words
};
// Reads the service's messages, and updates the facts. Does not block.
void Update(int fd, ServiceFacts* facts);

}  // namespace twinkle::rpc
