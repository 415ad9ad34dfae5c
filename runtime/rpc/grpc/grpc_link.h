// One bidirectional gRPC stream with a peer, opened by either side; a frame stream in each direction.
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

// What a completion queue gives back; runs on the thread that polls it.
class CompletionTag {
 public:
  virtual ~CompletionTag() = default;
  virtual void Run(bool ok) = 0;
};

// Invariants:
//  GL1 at most one operation of each kind (start, read, write, finish) is under way;
//  GL2 frames leave in the order written, as many in a message as fit;
//  GL3 `on_gone` runs once, when no operation is under way any more: then the queue may be shut down;
//  GL4 every message says how many frames have arrived here, unless the peer was told;
//  GL5 it holds one frame, or 2 MiB of several, beyond the message that is on its way: with so much it has no room, and
//      when half of that has left `on_room` runs.
// Thread-safe. Lives until it is gone.
class GrpcLink : public FrameLink, public std::enable_shared_from_this<GrpcLink> {
 public:
  // On the polling thread, one at a time, without a lock of the link's: they may call it. None comes after `on_gone`.
  struct Events {
    std::function<void(Heard)> on_message;
    std::function<void(const absl::Status&)> on_gone;
    std::function<void()> on_room;
  };
  struct Wire {
    std::shared_ptr<Traffic> traffic;  // which counts
    bool remote = false;               // to another machine
    Compression compression = Compression::kNone;
    std::shared_ptr<Arrivals> arrivals;  // of the stream
    uint64_t life = 0;                   // this process's
  };

  // To a peer; `metadata` is what it is shown. From a peer: accepted_call.h.
  static std::shared_ptr<GrpcLink> Dial(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                                        const std::vector<std::pair<std::string, std::string>>& metadata,
                                        grpc::CompletionQueue* queue, Wire wire, Events events);

  // FrameLink. After Cancel `on_gone` follows.
  void Begin(uint64_t first) override;
  bool Write(const Frame& frame) override;
  void Acknowledge() override;

 protected:
  GrpcLink(Wire wire, Events events);

  // The stream's own; each ends in its tag.
  virtual void StartRead(grpc::ByteBuffer* buffer, CompletionTag* tag) = 0;
  virtual void StartWrite(const grpc::ByteBuffer& buffer, CompletionTag* tag) = 0;
  virtual void StartFinish(CompletionTag* tag) = 0;
  // After that.
  virtual absl::Status FinalStatus() const = 0;

  // It may read and write from now on. `greet`: it says at once whose it is.
  void Open(bool greet);
  // Nothing more will come.
  void End();

 private:
  template <void (GrpcLink::*handler)(bool)>
  class Tag final : public CompletionTag {
   public:
    explicit Tag(GrpcLink* link) : link_(link) {}
    // For an operation that is about to start; the link stays until it has ended.
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
  // Of the message that is to follow on the one that is on its way.
  enum class Ahead : uint8_t {
    kNothing,
    kPreparing,  // on the polling thread, without the lock
    kPrepared,
  };
  // What is said though there may be no frame. A greeting says whose link this is, and acknowledges, too.
  enum class Owes : uint8_t { kNothing, kAcknowledgement, kGreeting };

  // The only place where the state changes: to a later one, or not at all.
  void To(State next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  // A part of a frame; `first`: its number, where it is to be said.
  struct Piece {
    grpc::Slice slice;
    std::optional<uint64_t> first;
  };
  std::vector<grpc::Slice> TakeSlices(size_t* bytes, std::optional<uint64_t>* first)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  MessageHeader NextHeader(std::optional<uint64_t> first) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartMessage(const MessageBytes& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PrepareNext();
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReadMessage(Heard* heard);
  Traffic::Way& way() const { return wire_.remote ? wire_.traffic->network : wire_.traffic->sockets; }

  const Wire wire_;
  const Events events_;

  // Of the polling thread.
  FrameReader reader_;
  uint64_t next_ = 0;  // number of the next frame to come; 0: not told yet
  grpc::ByteBuffer incoming_;
  absl::Status broken_;  // why it was given up here

  base::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kOpening;
  std::deque<Piece> outgoing_ ABSL_GUARDED_BY(mutex_);
  size_t outgoing_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool full_ ABSL_GUARDED_BY(mutex_) = false;              // GL5
  std::optional<uint64_t> first_ ABSL_GUARDED_BY(mutex_);  // number of the next frame, if that is to be said
  Owes owes_ ABSL_GUARDED_BY(mutex_) = Owes::kNothing;
  Ahead ahead_ ABSL_GUARDED_BY(mutex_) = Ahead::kNothing;
  MessageBytes prepared_ ABSL_GUARDED_BY(mutex_);  // with kPrepared; goes before what is outgoing
  CompressionChoice choice_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;  // GL1
  size_t writing_payload_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_compressed_ ABSL_GUARDED_BY(mutex_) = false;
  base::Instant writing_since_ ABSL_GUARDED_BY(mutex_);

  // Each of the one operation of its kind that is under way.
  Tag<&GrpcLink::OnRead> read_;
  Tag<&GrpcLink::OnWritten> write_;
  Tag<&GrpcLink::OnFinished> finish_;
};

}  // namespace twinkle::rpc
