#include "runtime/base/shortage.h"

#include <sys/resource.h>

#include <cerrno>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

using Catch::Matchers::ContainsSubstring;

// The limit of this process's open files, for a while.
class OpenFiles {
 public:
  explicit OpenFiles(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit fewer = before_;
    fewer.rlim_cur = most;
    ::setrlimit(RLIMIT_NOFILE, &fewer);
  }
  ~OpenFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE("a failure for want of open files says how many there may be, and what allows more") {
  const OpenFiles few(100);
  const absl::Status status = ErrnoStatus(EMFILE, "a pipe could not be made");
  CHECK(absl::IsResourceExhausted(status));
  CHECK_THAT(std::string(status.message()),
             ContainsSubstring("a pipe could not be made: this process may have 100 open files") &&
                 ContainsSubstring("ulimit -n"));
  CHECK_THAT(std::string(ErrnoStatus(ENFILE, "it").message()), ContainsSubstring("fs.file-max"));
  CHECK(ErrnoStatus(ENOENT, "it") == absl::ErrnoToStatus(ENOENT, "it"));
}

TEST_CASE("a process that may have too few open files for gRPC is told so") {
  CHECK(CheckProcess().ok());
  {
    const OpenFiles few(63);
    const absl::Status status = CheckProcess();
    CHECK(absl::IsResourceExhausted(status));
    CHECK_THAT(std::string(status.message()),
               ContainsSubstring("at least 64 are needed") && ContainsSubstring("may have 63 open files"));
  }
  CHECK(CheckProcess().ok());
}

TEST_CASE("what passes is a shortage, what does not is none") {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, ETOOMANYREFS}) CHECK_FALSE(ShortageOf(error).empty());
  for (const int error : {0, EPIPE, ENOENT}) CHECK(ShortageOf(error).empty());
}

}  // namespace
}  // namespace twinkle::base
