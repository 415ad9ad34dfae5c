// Between a program and the services of its private cluster, which are its children: the token, whether they serve, and
// the end of either.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>

#include "runtime/rpc/fd_channel.h"

namespace twinkle::rpc {

// What a service of a private cluster is told.
struct PrivateRole {
  std::string token;
  std::string target;  // where the driver listens: a Unix socket
};

// ---- the child's side
class ParentLink {
 public:
  // Reads the role from an inherited descriptor. Unavailable: the parent is gone.
  static absl::StatusOr<ParentLink> Open(int fd);

  const PrivateRole& role() const { return role_; }
  // Tells the parent that this process serves.
  void Ready() const;
  // Both can be read when the parent is gone. The second, a pidfd, is not fooled by copies of the first in other
  // children of the parent; invalid where the kernel has none.
  int fd() const { return fd_.get(); }
  int process_fd() const { return process_.get(); }

 private:
  PrivateRole role_;
  Fd fd_;
  Fd process_;
};

// ---- the parent's side
absl::Status SendRole(int fd, const PrivateRole& role);
// What has come of a child. Does not block.
enum class ChildState { kStarting, kReady, kEnded };
ChildState StateOf(int fd);

}  // namespace twinkle::rpc
