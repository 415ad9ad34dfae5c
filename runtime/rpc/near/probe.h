// Probe: finds out whether one process can read another one's memory.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

// A sealed file with a secret, the nonce, in it. A peer that can check the nonce can open this process's memory files.
// The probe is a file of its own, since shared memory is made only when there is something to put there. Constant, and
// so thread-safe.
class Probe {
 public:
  Probe();

  // Whether there is a file. False: there was no memory for it, and no peer can check it.
  bool there() const { return file_.valid(); }
  int fd() const { return file_.get(); }
  // The nonce; not empty.
  const std::string& nonce() const { return nonce_; }

  // Checks that process `pid` has a probe with that nonce open as `fd`. FailedPrecondition: it is another file.
  // InvalidArgument: the nonce is empty or too long. ResourceExhausted: this process has no descriptor for it, of which
  // it needs one for a moment. Other errors: why the file cannot be opened.
  static absl::Status Check(int pid, int fd, const std::string& nonce);

 private:
  base::Fd file_;
  std::string nonce_;
};

}  // namespace twinkle::rpc
