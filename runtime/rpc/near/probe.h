// Whether one process can read another one's memory.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

// Proof that this process's memory can be read by who says what is in it: a sealed file with a secret. It is a file of
// its own, since shared memory is only made when there is something for it. Constant: any thread may look.
class Probe {
 public:
  Probe();

  // False: there is no memory for it, and so nobody can show to have read it.
  bool there() const { return file_.valid(); }
  int fd() const { return file_.get(); }
  // Not empty.
  const std::string& nonce() const { return nonce_; }

  // Whether the file at that descriptor of that process is a probe with that nonce. FailedPrecondition: it is not.
  // InvalidArgument: there is no such nonce. Else why it cannot be opened: a descriptor is needed for a moment, and
  // ResourceExhausted says that there is none.
  static absl::Status Check(int pid, int fd, const std::string& nonce);

 private:
  base::Fd file_;
  std::string nonce_;
};

}  // namespace twinkle::rpc
