// GrpcLink: one bidirectional gRPC stream with a peer, which either side may open. It carries a stream of frames in
// each direction.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/frame_stream.h"
#include "runtime/rpc/grpc/compression_choice.h"
#include "runtime/rpc/grpc/conversation.h"
#include "runtime/rpc/grpc/frame_link.h"
#include "runtime/rpc/grpc/message_bytes.h"
#include "runtime/rpc/grpc/message_header.h"
#include "runtime/rpc/traffic.h"

namespace twinkle::rpc {

// A tag of gRPC's completion queue. Run is called on the thread that polls the queue, when the operation has ended;
// `ok` is the queue's.
class CompletionTag {
 public:
  virtual ~CompletionTag() = default;
  virtual void Run(bool ok) = 0;
};

// A connection over gRPC. Its operations complete on the thread that polls the completion queue. It ends once, with
// on_gone: after Cancel, when it breaks, or when the peer's messages make no sense. It keeps itself until on_gone has
// run. Thread-safe. Invariants:
//  GL1 at most one operation of each kind (start, read, write, finish) is under way;
//  GL2 frames leave in the order written, as many in a message as fit;
//  GL3 `on_gone` runs once, when no operation is under way any more: then the queue may be shut down;
//  GL4 every message says how many frames have arrived here, unless the peer was told;
//  GL5 it holds one frame, or 2 MiB of several, beyond the message that is being sent. With so much it has no room;
//      when half of that has left, `on_room` runs.
class GrpcLink : public FrameLink, public std::enable_shared_from_this<GrpcLink> {
 public:
  // Callbacks on the polling thread, one at a time, without a lock of the link: they may call the link. None comes
  // after `on_gone`.
  struct Events {
    std::function<void(const std::shared_ptr<GrpcLink>&, ReceivedMessage)> on_message;
    std::function<void(const std::shared_ptr<GrpcLink>&, const absl::Status&)> on_gone;  // with why
    std::function<void(const std::shared_ptr<GrpcLink>&)> on_room;                       // GL5
  };
  // What a link needs to know of its two ends.
  struct Wire {
    std::shared_ptr<Traffic> traffic;  // counts what is sent and received
    bool remote = false;               // whether the peer is on another machine
    Compression compression = Compression::kNone;
    std::shared_ptr<Arrivals> arrivals;  // the stream's counters
    uint64_t life = 0;                   // this process's identity
  };

  // Opens a link to a peer. `metadata` is what the peer is shown. For links from a peer see accepted_call.h.
  static std::shared_ptr<GrpcLink> Dial(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                                        const std::vector<std::pair<std::string, std::string>>& metadata,
                                        grpc::CompletionQueue* queue, Wire wire, Events events);

  // FrameLink. `on_gone` follows on Cancel.
  void Begin(uint64_t first) override;
  bool Write(const Frame& frame) override;
  void Acknowledge() override;

 protected:
  GrpcLink(Wire wire, Events events);

  // The operations of the gRPC stream. Each ends by running its tag.
  virtual void StartRead(grpc::ByteBuffer* buffer, CompletionTag* tag) = 0;
  virtual void StartWrite(const grpc::ByteBuffer& buffer, CompletionTag* tag) = 0;
  virtual void StartFinish(CompletionTag* tag) = 0;
  // The status of the stream, after StartFinish has ended.
  virtual absl::Status FinalStatus() const = 0;

  // The stream is open: it may read and write from now on. `greet`: it sends this process's identity at once.
  void Open(bool greet);
  // The stream has ended: nothing more will come.
  void End();

 private:
  // The tag of one operation; it keeps the link while the operation is under way.
  template <void (GrpcLink::*handler)(bool)>
  class Tag final : public CompletionTag {
   public:
    explicit Tag(GrpcLink* link) : link_(link) {}
    // Prepares the tag for an operation that is about to start.
    CompletionTag* Arm() {
      keep_ = link_->shared_from_this();
      return this;
    }
    void Run(bool ok) override {
      const std::shared_ptr<GrpcLink> keep = std::move(keep_);
      (keep.get()->*handler)(ok);
    }

   private:
    GrpcLink* const link_;
    std::shared_ptr<GrpcLink> keep_;
  };

  enum class State : uint8_t { kOpening, kOpen, kEnded };
  // The state of the next message, after the one that is being sent.
  enum class Ahead : uint8_t {
    kNothing,
    kPreparing,  // on the polling thread, without the lock
    kPrepared,
  };
  // What must be sent even without a frame. A greeting holds this process's identity, and acknowledges, too.
  enum class Owes : uint8_t { kNothing, kAcknowledgement, kGreeting };

  // Changes the state, to a later one or not at all; the only place that does.
  void To(State next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  // A part of a frame. `first`: the frame's number, if that must be sent.
  struct Piece {
    grpc::Slice slice;
    std::optional<uint64_t> first;
  };
  // Takes one message's worth of slices from the front. A number that must be sent begins a message.
  std::vector<grpc::Slice> TakeSlices(size_t* bytes, std::optional<uint64_t>* first)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  MessageHeader NextHeader(std::optional<uint64_t> first) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartMessage(const MessageBytes& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends the next message, if there is something to send and no write is under way. On an idle link that message is
  // not compressed: that takes milliseconds, and senders must not wait.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Compresses the next message while another is being sent, without the lock.
  void PrepareNext();
  // Finishes the stream once it has ended and no write is under way.
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReadMessage(ReceivedMessage* received);
  Traffic::Way& way() const { return wire_.remote ? wire_.traffic->network : wire_.traffic->sockets; }

  const Wire wire_;
  const Events events_;

  // Confined to the polling thread.
  FrameReader reader_;
  uint64_t next_ = 0;  // number of the next frame from the peer; 0: not known yet
  grpc::ByteBuffer incoming_;
  absl::Status broken_;  // why this side has given the link up

  base::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kOpening;
  std::deque<Piece> outgoing_ ABSL_GUARDED_BY(mutex_);
  size_t outgoing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool full_ ABSL_GUARDED_BY(mutex_) = false;              // GL5
  std::optional<uint64_t> first_ ABSL_GUARDED_BY(mutex_);  // number of the next frame, if that must be sent
  Owes owes_ ABSL_GUARDED_BY(mutex_) = Owes::kNothing;
  Ahead ahead_ ABSL_GUARDED_BY(mutex_) = Ahead::kNothing;
  MessageBytes prepared_ ABSL_GUARDED_BY(mutex_);  // with kPrepared: the message to send before `outgoing_`
  CompressionChoice choice_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // GL1
  size_t writing_payload_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_compressed_ ABSL_GUARDED_BY(mutex_) = false;
  base::Instant writing_since_ ABSL_GUARDED_BY(mutex_);

  // The tags, one for each kind of operation.
  Tag<&GrpcLink::OnRead> read_;
  Tag<&GrpcLink::OnWritten> write_;
  Tag<&GrpcLink::OnFinished> finish_;
};

}  // namespace twinkle::rpc
