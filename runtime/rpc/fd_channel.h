// Messages, and descriptors with them, over a socket that both sides inherited: between a node daemon and the processes
// that it started.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/message_lite.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace twinkle::rpc {

// A descriptor that is closed with its owner. Move-only.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

// Two connected stream sockets, closed on exec.
absl::StatusOr<std::pair<Fd, Fd>> SocketPair();

// Writes a message, and copies of the descriptors with it. Blocks while the socket is full; Unavailable when the other
// side is gone. One writer at a time.
absl::Status SendMessage(int socket, const google::protobuf::MessageLite& message, const std::vector<int>& fds = {});

// Writes without blocking; what the socket does not take waits here. Not thread-safe.
class MessageWriter {
 public:
  explicit MessageWriter(int socket) : socket_(socket) {}
  // Whether everything has been taken: else call Flush when the socket can be written again. Unavailable: the other
  // side is gone.
  absl::StatusOr<bool> Write(const google::protobuf::MessageLite& message);
  absl::StatusOr<bool> Flush();

 private:
  const int socket_;
  std::string unsent_;
};

// Reads messages from a socket, blocking or not. Not thread-safe.
class MessageReader {
 public:
  explicit MessageReader(int socket) : socket_(socket) {}

  // The next message, when it is there in whole (with a blocking socket: waits for it). Nothing: not yet. Unavailable:
  // the other side is gone. InvalidArgument: it is larger than 1 GiB, or no such message.
  absl::StatusOr<bool> Next(google::protobuf::MessageLite* message);

  // Up to `count` descriptors that came with messages, in order. Those of a message are there when it is.
  std::vector<Fd> TakeFds(size_t count);

 private:
  absl::StatusOr<bool> ReadSome();

  const int socket_;
  std::string bytes_;
  std::vector<Fd> fds_;
};

}  // namespace twinkle::rpc
