#include "runtime/rpc/parent_link.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace twinkle::rpc {
namespace {

constexpr char kReady = 'R';

}  // namespace

absl::StatusOr<ParentLink> ParentLink::Open(int fd) {
  ParentLink link;
  link.fd_ = Fd(fd);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  link.process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getppid(), 0)));
  std::string text;
  char byte = 0;
  while (text.empty() || text.back() != '\n') {
    const ssize_t got = ::read(fd, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return absl::UnavailableError("the program that this service belongs to is gone");
    text += byte;
  }
  text.pop_back();
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  if (words.size() != 2) return absl::InvalidArgumentError("the program sent no role");
  link.role_ = {words[0], words[1]};
  return link;
}

void ParentLink::Ready() const { (void)!::send(fd_.get(), &kReady, 1, MSG_NOSIGNAL); }

absl::Status SendRole(int fd, const PrivateRole& role) {
  const std::string text = absl::StrCat(role.token, " ", role.target, "\n");
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) return absl::OkStatus();
  return absl::UnavailableError("the service has ended");
}

absl::Status AwaitReady(int fd, absl::Time deadline) {
  while (true) {
    pollfd waiting{fd, POLLIN, 0};
    const int64_t left = absl::ToInt64Milliseconds(absl::Ceil(deadline - absl::Now(), absl::Milliseconds(1)));
    if (left <= 0) return absl::DeadlineExceededError("it does not serve in time");
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    if (ready <= 0) continue;
    char byte = 0;
    if (::read(fd, &byte, 1) == 1 && byte == kReady) return absl::OkStatus();
    return absl::UnavailableError("it has ended");
  }
}

}  // namespace twinkle::rpc
