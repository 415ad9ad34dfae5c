// Messages, and descriptors with them, over a socket that both sides inherited: between a node daemon and the processes
// that it started.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <google/protobuf/message_lite.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

// Two connected stream sockets, closed on exec.
absl::StatusOr<std::pair<base::Fd, base::Fd>> SocketPair();

// Writes a message. Blocks while the socket is full, or the kernel short of memory. Unavailable: the other side is
// gone. InvalidArgument: the message is larger than 1 GiB. One writer at a time.
absl::Status SendMessage(int socket, const google::protobuf::MessageLite& message);

// From one try to send to the next, while the kernel is short of what it takes.
inline constexpr absl::Duration kShortageWait = absl::Milliseconds(10);

// Writes messages without blocking; what the socket does not take waits here. Not thread-safe. Invariants:
//  FD1 messages arrive whole and in order, each with its own descriptors, however little the socket takes at a time;
//  FD2 only a socket whose other side is closed is taken for gone: a shortage of the kernel's passes.
class MessageWriter {
 public:
  explicit MessageWriter(int socket) : socket_(socket) {}

  // Whether everything has been taken: else call Flush when the socket can be written again or, while there is a
  // shortage, a little later. The descriptors, 16 at most, are closed here once they are on their way. Unavailable: the
  // other side is gone. InvalidArgument: the message is larger than 1 GiB; the others are not touched by it.
  absl::StatusOr<bool> Write(const google::protobuf::MessageLite& message, std::vector<base::Fd> fds = {});
  absl::StatusOr<bool> Flush();

  // What the kernel was out of when something was last to be sent, in words; empty: nothing. A socket that waits for it
  // may be writable all the same.
  absl::string_view shortage() const { return shortage_; }

 private:
  // Bytes of messages, of which the first may have descriptors.
  struct Piece {
    std::string bytes;
    std::vector<base::Fd> fds;  // go with the first byte
  };
  // How many bytes of the first piece were sent. Zero: not now.
  absl::StatusOr<size_t> SendSome();

  const int socket_;
  std::deque<Piece> unsent_;
  size_t sent_ = 0;  // of the first piece
  absl::string_view shortage_;
};

// What a reader accepts.
struct ReaderLimits {
  size_t most_bytes = size_t{1} << 30;  // of a message
  bool descriptors = false;             // else those that come are closed unseen
};

// Reads messages from a socket, blocking or not. Not thread-safe.
class MessageReader {
 public:
  explicit MessageReader(int socket, ReaderLimits limits = {}) : socket_(socket), limits_(limits) {}

  // The next message, when it is there in whole (with a blocking socket: waits for it). Nothing: not yet. Unavailable:
  // the other side is gone. InvalidArgument: it is larger than the limit, or no such message.
  absl::StatusOr<bool> Next(google::protobuf::MessageLite* message);

  // The descriptors of the message that Next gave last. Fewer than were sent: this process had no room for more.
  std::vector<base::Fd> TakeFds() { return std::exchange(taken_, {}); }

 private:
  absl::StatusOr<bool> ReadSome();
  // Whether a whole message is there.
  absl::StatusOr<bool> TakeMessage(google::protobuf::MessageLite* message);

  const int socket_;
  const ReaderLimits limits_;
  std::string bytes_;
  size_t begin_ = 0;                           // of what has not been taken yet
  std::deque<std::vector<base::Fd>> batches_;  // one for each message that was sent with descriptors
  std::vector<base::Fd> taken_;
};

}  // namespace twinkle::rpc
