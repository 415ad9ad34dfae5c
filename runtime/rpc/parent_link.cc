#include "runtime/rpc/parent_link.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace twinkle::rpc {
namespace {

// The messages of a service, in this order. The kernel adds the sender's credentials.
constexpr char kStarted = 'S';
constexpr char kReady = 'R';
constexpr char kRefused = 'F';  // followed by the reason, up to the end
constexpr size_t kMostReason = 4096;

absl::StatusOr<std::string> ReadLine(int fd) {
  std::string text;
  char byte = 0;
  while (text.empty() || text.back() != '\n') {
    const ssize_t got = ::read(fd, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return absl::UnavailableError("the program that this service belongs to is gone");
    text += byte;
  }
  text.pop_back();
  return text;
}

void Say(int fd, char word) { (void)!::send(fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT); }

// The pid of a message's sender, by its credentials; 0: there are none.
pid_t WriterOf(const msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&message), part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred writer{};
    std::memcpy(&writer, CMSG_DATA(part), sizeof(writer));
    return writer.pid;
  }
  return 0;
}

void TakeWords(absl::string_view said, ServiceFacts* facts) {
  for (const char byte : said) {
    if (facts->refuses) {
      facts->reason += byte;
    } else if (byte == kRefused) {
      facts->refuses = true;
    } else if (byte == kReady) {
      facts->state = ServiceState::kReady;
    }
  }
}

}  // namespace

// ---- the service's side
absl::StatusOr<ParentLink> ParentLink::Open(int fd) {
  ParentLink link;
  link.fd_ = base::Fd(fd);
  const absl::Status joined = link.Join();
  if (joined.ok()) return link;
  (void)link.fd_.Release();
  return joined;
}

absl::Status ParentLink::Join() {
  ::fcntl(fd(), F_SETFD, FD_CLOEXEC);
  process_ = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, program(), 0)));
  const pid_t service = ::fork();
  if (service < 0) return absl::ErrnoToStatus(errno, "the service cannot leave the program that has started it");
  if (service > 0) ::_exit(0);
  Say(fd(), kStarted);
  absl::StatusOr<std::string> text = ReadLine(fd());
  if (!text.ok()) return text.status();
  const std::vector<std::string> words = absl::StrSplit(*text, ' ');
  if (words.size() != 2) return absl::InvalidArgumentError("the program sent no role");
  role_ = {words[0], words[1]};
  return absl::OkStatus();
}

pid_t ParentLink::program() const {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

void ParentLink::Ready() const { Say(fd_.get(), kReady); }

void ParentLink::Refuse(int fd, absl::string_view why) {
  const std::string text = absl::StrCat(std::string(1, kRefused), why.substr(0, kMostReason));
  (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// ---- the program's side
absl::Status Prepare(int fd) {
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "a socket for a service cannot be made");
}

absl::Status SendRole(int fd, const PrivateRole& role) {
  const std::string text = absl::StrCat(role.token, " ", role.target, "\n");
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) return absl::OkStatus();
  return absl::UnavailableError("the service has ended");
}

void Update(int fd, ServiceFacts* facts) {
  while (facts->state != ServiceState::kEnded) {
    std::array<char, 256> bytes;
    iovec place{bytes.data(), bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> credentials{};
    msghdr message{};
    message.msg_iov = &place;
    message.msg_iovlen = 1;
    message.msg_control = credentials.data();
    message.msg_controllen = credentials.size();
    const ssize_t got = ::recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      facts->state = ServiceState::kEnded;
      return;
    }
    facts->pid = WriterOf(message);
    TakeWords(absl::string_view(bytes.data(), static_cast<size_t>(got)), facts);
  }
}

}  // namespace twinkle::rpc
