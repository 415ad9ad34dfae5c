#include "runtime/rpc/fd_channel.h"

#include <absl/strings/str_cat.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace twinkle::rpc {
namespace {

constexpr uint32_t kMostBytes = 1 << 30;
constexpr size_t kMostFds = 16;

absl::Status Gone() { return absl::UnavailableError("the other side is gone"); }

// Size and message. False: too large.
bool AppendFramed(const google::protobuf::MessageLite& message, std::string* bytes) {
  const size_t begin = bytes->size();
  const size_t length = message.ByteSizeLong();
  if (length > kMostBytes) return false;
  const uint32_t size = static_cast<uint32_t>(length);
  bytes->append(reinterpret_cast<const char*>(&size), sizeof(size));
  if (message.AppendToString(bytes)) return true;
  bytes->resize(begin);
  return false;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  Reset();
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

void Fd::Reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

absl::StatusOr<std::pair<Fd, Fd>> SocketPair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return absl::ErrnoToStatus(errno, "a pair of sockets could not be made");
  }
  return std::make_pair(Fd(ends[0]), Fd(ends[1]));
}

absl::Status SendMessage(int socket, const google::protobuf::MessageLite& message, const std::vector<int>& fds) {
  std::string bytes;
  if (!AppendFramed(message, &bytes)) return absl::InvalidArgumentError("a message is too large to be sent");
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  size_t sent = 0;
  while (sent < bytes.size()) {
    iovec part{bytes.data() + sent, bytes.size() - sent};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (sent == 0 && !fds.empty()) {  // with the first byte
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
    }
    const ssize_t wrote = ::sendmsg(socket, &header, MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) {
      pollfd room{socket, POLLOUT, 0};
      ::poll(&room, 1, -1);
      continue;
    }
    if (wrote < 0) return Gone();
    sent += static_cast<size_t>(wrote);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> MessageWriter::Write(const google::protobuf::MessageLite& message) {
  if (!AppendFramed(message, &unsent_)) return absl::InvalidArgumentError("a message is too large to be sent");
  return Flush();
}

absl::StatusOr<bool> MessageWriter::Flush() {
  size_t sent = 0;
  while (sent < unsent_.size()) {
    const ssize_t wrote = ::send(socket_, unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) break;
    if (wrote < 0) return Gone();
    sent += static_cast<size_t>(wrote);
  }
  unsent_.erase(0, sent);
  return unsent_.empty();
}

std::vector<Fd> MessageReader::TakeFds(size_t count) {
  std::vector<Fd> taken;
  const size_t most = std::min(count, fds_.size());
  taken.reserve(most);
  for (size_t i = 0; i < most; ++i) taken.push_back(std::move(fds_[i]));
  fds_.erase(fds_.begin(), fds_.begin() + static_cast<std::ptrdiff_t>(most));
  return taken;
}

// False: nothing is there now.
absl::StatusOr<bool> MessageReader::ReadSome() {
  std::array<char, 64 << 10> chunk{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  iovec part{chunk.data(), chunk.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket_, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (got <= 0) return Gone();
  for (cmsghdr* rights = CMSG_FIRSTHDR(&header); rights != nullptr; rights = CMSG_NXTHDR(&header, rights)) {
    if (rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof(int), sizeof(int));
      fds_.emplace_back(fd);
    }
  }
  bytes_.append(chunk.data(), static_cast<size_t>(got));
  return true;
}

absl::StatusOr<bool> MessageReader::Next(google::protobuf::MessageLite* message) {
  while (true) {
    uint32_t size = 0;
    if (bytes_.size() >= sizeof(size)) {
      std::memcpy(&size, bytes_.data(), sizeof(size));
      if (size > kMostBytes) return absl::InvalidArgumentError("a message is larger than 1 GiB");
      if (bytes_.size() - sizeof(size) >= size) {
        const bool parsed = message->ParseFromArray(bytes_.data() + sizeof(size), static_cast<int>(size));
        bytes_.erase(0, sizeof(size) + size);
        if (!parsed) return absl::InvalidArgumentError("a message could not be parsed");
        return true;
      }
    }
    absl::StatusOr<bool> more = ReadSome();
    if (!more.ok() || !*more) return more;
  }
}

}  // namespace twinkle::rpc
