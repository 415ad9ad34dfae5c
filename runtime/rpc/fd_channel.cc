#include "runtime/rpc/fd_channel.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "runtime/base/shortage.h"

namespace twinkle::rpc {
namespace {

constexpr uint32_t kMostBytes = 1 << 30;
constexpr size_t kMostFds = 16;
constexpr size_t kPieceBytes = 64 << 10;  // no message is appended to a larger piece

// The header of each message on the socket.
struct Head {
  uint32_t bytes = 0;
  uint32_t fds = 0;
};

void PauseForShortage() { ::poll(nullptr, 0, static_cast<int>(absl::ToInt64Milliseconds(kShortageWait))); }

absl::Status Gone() { return absl::UnavailableError("the other side is gone"); }

// Appends a header and the message. False: the message is too large, or has too many descriptors.
bool AppendFramed(const google::protobuf::MessageLite& message, size_t fds, std::string* bytes) {
  const size_t begin = bytes->size();
  const size_t length = message.ByteSizeLong();
  if (length > kMostBytes || fds > kMostFds) return false;
  const Head head{static_cast<uint32_t>(length), static_cast<uint32_t>(fds)};
  bytes->append(reinterpret_cast<const char*>(&head), sizeof(head));
  if (message.AppendToString(bytes)) return true;
  bytes->resize(begin);
  return false;
}

// Waits for a moment if the error is a shortage and the socket is blocking. False: it did not wait.
bool WaitsOut(int error, int socket) {
  if (base::ShortageOf(error).empty() || (::fcntl(socket, F_GETFL) & O_NONBLOCK) != 0) return false;
  PauseForShortage();
  return true;
}

void AttachFds(const std::vector<base::Fd>& fds, char* control, msghdr* header) {
  header->msg_control = control;
  header->msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
  cmsghdr* rights = CMSG_FIRSTHDR(header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  for (size_t i = 0; i < fds.size(); ++i) {
    const int fd = fds[i].get();
    std::memcpy(CMSG_DATA(rights) + i * sizeof(int), &fd, sizeof(int));
  }
}

}  // namespace

absl::StatusOr<std::pair<base::Fd, base::Fd>> SocketPair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::ErrnoStatus(errno, "a pair of sockets could not be made");
  }
  return std::make_pair(base::Fd(ends[0]), base::Fd(ends[1]));
}

absl::Status SendMessage(int socket, const google::protobuf::MessageLite& message) {
  MessageWriter writer(socket);
  absl::StatusOr<bool> done = writer.Write(message);
  while (done.ok() && !*done) {
    pollfd room{socket, POLLOUT, 0};
    if (writer.shortage().empty()) {
      ::poll(&room, 1, -1);
    } else {
      PauseForShortage();
    }
    done = writer.Flush();
  }
  return done.status();
}

// ---- writing
absl::StatusOr<bool> MessageWriter::Write(const google::protobuf::MessageLite& message, std::vector<base::Fd> fds) {
  if (unsent_.empty() || !fds.empty() || unsent_.back().bytes.size() > kPieceBytes) unsent_.emplace_back();
  Piece& last = unsent_.back();
  if (!AppendFramed(message, fds.size(), &last.bytes)) {
    if (last.bytes.empty()) unsent_.pop_back();
    return absl::InvalidArgumentError("a message is too large to be sent");
  }
  if (!fds.empty()) last.fds = std::move(fds);
  return Flush();
}

absl::StatusOr<size_t> MessageWriter::SendSome() {
  Piece& first = unsent_.front();
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  iovec part{first.bytes.data() + sent_, first.bytes.size() - sent_};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!first.fds.empty()) AttachFds(first.fds, control.data(), &header);
  shortage_ = {};
  ssize_t wrote = 0;
  do {
    wrote = ::sendmsg(socket_, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (wrote < 0 && errno == EINTR);
  if (wrote < 0) {
    if (errno == EAGAIN) return 0;
    shortage_ = base::ShortageOf(errno);
    if (!shortage_.empty()) return 0;
    return Gone();
  }
  first.fds.clear();
  return static_cast<size_t>(wrote);
}

absl::StatusOr<bool> MessageWriter::Flush() {
  while (!unsent_.empty()) {
    const absl::StatusOr<size_t> wrote = SendSome();
    if (!wrote.ok()) return wrote.status();
    if (*wrote == 0) return false;
    sent_ += *wrote;
    if (sent_ < unsent_.front().bytes.size()) continue;
    unsent_.pop_front();
    sent_ = 0;
  }
  return true;
}

// ---- reading
absl::StatusOr<bool> MessageReader::ReadSome() {
  std::array<char, 64 << 10> chunk{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  iovec part{chunk.data(), chunk.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (limits_.descriptors) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  ssize_t got = 0;
  int error = 0;
  do {
    got = ::recvmsg(socket_, &header, MSG_CMSG_CLOEXEC);
    error = got < 0 ? errno : 0;
  } while (error == EINTR || WaitsOut(error, socket_));
  if (error == EAGAIN || error == EWOULDBLOCK || !base::ShortageOf(error).empty()) return false;
  if (got <= 0) return Gone();
  std::vector<base::Fd> fds;
  for (cmsghdr* rights = CMSG_FIRSTHDR(&header); rights != nullptr; rights = CMSG_NXTHDR(&header, rights)) {
    if (rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  // One call of recvmsg returns the descriptors of one message at most. If this process had no room for any of them,
  // MSG_CTRUNC is the only sign that there were some.
  if (limits_.descriptors && (!fds.empty() || (header.msg_flags & MSG_CTRUNC) != 0)) batches_.push_back(std::move(fds));
  bytes_.append(chunk.data(), static_cast<size_t>(got));
  return true;
}

absl::StatusOr<bool> MessageReader::TakeMessage(google::protobuf::MessageLite* message) {
  const size_t there = bytes_.size() - begin_;
  Head head;
  if (there < sizeof(head)) return false;
  std::memcpy(&head, bytes_.data() + begin_, sizeof(head));
  if (head.bytes > limits_.most_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("a message is larger than ", limits_.most_bytes, " bytes"));
  }
  if (there - sizeof(head) < head.bytes) return false;
  const bool parsed = message->ParseFromArray(bytes_.data() + begin_ + sizeof(head), static_cast<int>(head.bytes));
  begin_ += sizeof(head) + head.bytes;
  taken_.clear();
  if (head.fds > 0 && !batches_.empty()) {
    taken_ = std::move(batches_.front());
    batches_.pop_front();
  }
  if (!parsed) return absl::InvalidArgumentError("a message could not be parsed");
  return true;
}

absl::StatusOr<bool> MessageReader::Next(google::protobuf::MessageLite* message) {
  while (true) {
    absl::StatusOr<bool> taken = TakeMessage(message);
    if (!taken.ok() || *taken) return taken;
    bytes_.erase(0, begin_);
    begin_ = 0;
    absl::StatusOr<bool> more = ReadSome();
    if (!more.ok() || !*more) return more;
  }
}

}  // namespace twinkle::rpc
