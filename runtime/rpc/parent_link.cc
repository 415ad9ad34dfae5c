#include "runtime/rpc/parent_link.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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

ChildState StateOf(int fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);  // the byte stays: it is asked again
  if (got == 1 && byte == kReady) {
    pollfd hung_up{fd, POLLRDHUP, 0};
    return ::poll(&hung_up, 1, 0) == 1 ? ChildState::kEnded : ChildState::kReady;
  }
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? ChildState::kStarting : ChildState::kEnded;
}

}  // namespace twinkle::rpc
