// Messages with file descriptors, over an inherited socket: between a node daemon and the processes that it started.
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

// Makes two connected stream sockets, closed on exec. ResourceExhausted: the process or the system has no more
// descriptors.
absl::StatusOr<std::pair<base::Fd, base::Fd>> SocketPair();

// Sends a message. Blocks while the socket is full, or the kernel is short of memory. Unavailable: the other side is
// gone. InvalidArgument: the message is larger than 1 GiB. One thread at a time per socket.
absl::Status SendMessage(int socket, const google::protobuf::MessageLite& message);

// The pause between two attempts to send, while the kernel is short of memory or of another resource.
inline constexpr absl::Duration kShortageWait = absl::Milliseconds(10);

// Writes messages to a socket without blocking. Bytes that the socket does not take wait in the writer until Flush. For
// one thread at a time. The socket must outlive the writer. Invariants:
//  FD1 messages arrive whole and in order, each with its own descriptors, however little the socket takes at a time;
//  FD2 only a socket whose other side is closed counts as gone: a shortage in the kernel passes.
class MessageWriter {
 public:
  explicit MessageWriter(int socket) : socket_(socket) {}

  // Appends a message and writes as much as the socket takes. True: everything is written. False: call Flush when the
  // socket can be written to or, while there is a shortage, after kShortageWait. The descriptors, 16 at most, are
  // closed once they are sent. Unavailable: the other side is gone. InvalidArgument: the message is larger than 1 GiB;
  // the other messages are not affected.
  absl::StatusOr<bool> Write(const google::protobuf::MessageLite& message, std::vector<base::Fd> fds = {});
  // Writes waiting bytes. Result and errors as those of Write.
  absl::StatusOr<bool> Flush();

  // The resource that the kernel lacked at the last attempt to send, as text; empty: none. During a shortage the socket
  // may be reported as writable all the same.
  absl::string_view shortage() const { return shortage_; }

 private:
  // Bytes of one or more messages. Only the first of these may have descriptors.
  struct Piece {
    std::string bytes;
    std::vector<base::Fd> fds;  // sent with the first byte
  };
  // Sends bytes of the first piece, and returns how many. Zero: the socket takes none now.
  absl::StatusOr<size_t> SendSome();

  const int socket_;
  std::deque<Piece> unsent_;
  size_t sent_ = 0;  // sent bytes of the first piece
  absl::string_view shortage_;
};

// Limits for what a reader accepts.
struct ReaderLimits {
  size_t most_bytes = size_t{1} << 30;  // largest message
  bool descriptors = false;             // whether descriptors are accepted; otherwise they are closed unseen
};

// Reads messages from a socket, blocking or not. For one thread at a time. The socket must outlive the reader.
class MessageReader {
 public:
  explicit MessageReader(int socket, ReaderLimits limits = {}) : socket_(socket), limits_(limits) {}

  // Reads the next message (true). False: it is not complete yet; a blocking socket waits instead. Unavailable: the
  // other side is gone. InvalidArgument: the message is larger than the limit, or cannot be parsed; the reader must not
  // be used any more.
  absl::StatusOr<bool> Next(google::protobuf::MessageLite* message);

  // Takes the descriptors of the last message that Next returned. They are fewer than were sent if this process had no
  // room for more.
  std::vector<base::Fd> TakeFds() { return std::exchange(taken_, {}); }

 private:
  // Reads once from the socket into `bytes_`. False: there is nothing to read now.
  absl::StatusOr<bool> ReadSome();
  // Takes a whole message out of `bytes_`. False: there is none yet.
  absl::StatusOr<bool> TakeMessage(google::protobuf::MessageLite* message);

  const int socket_;
  const ReaderLimits limits_;
  std::string bytes_;
  size_t begin_ = 0;                           // where the first message begins that was not taken yet
  std::deque<std::vector<base::Fd>> batches_;  // descriptors of each message that was sent with some
  std::vector<base::Fd> taken_;
};

}  // namespace twinkle::rpc
