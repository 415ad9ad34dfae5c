// The inside of GrpcTransport, in three files: grpc_transport.cc sends and hears, grpc_transport_calls.cc takes the
// calls that come in, grpc_transport_ends.cc is about connections that break and peers that are lost.
#pragma once

#include <absl/container/node_hash_map.h>
#include <absl/strings/string_view.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/rpc/grpc/accepted_call.h"
#include "runtime/rpc/grpc/grpc_link.h"
#include "runtime/rpc/grpc/grpc_transport.h"
#include "runtime/rpc/grpc/peer.h"
#include "runtime/rpc/listener.h"

namespace twinkle::rpc {

inline constexpr char kDataMethod[] = "/twinkle.v1.Peer/Data";
inline constexpr char kControlMethod[] = "/twinkle.v1.Peer/Control";

// Metadata of a stream, besides the secret and the process that opens it.
inline constexpr char kToKey[] = "twinkle-to";              // the process that is meant
inline constexpr char kLifeKey[] = "twinkle-life";          // of the one that opens it
inline constexpr char kKnownLifeKey[] = "twinkle-to-life";  // of the one that is meant, 0: not known yet
inline constexpr char kHeardKey[] = "twinkle-heard";        // frames of the other's that have arrived

// Invariants:
//  GT1 a peer's connections are made, heard and broken in its Conversation, and nowhere else;
//  GT2 a peer that is lost (peer.h): its links are cancelled, new ones refused, so that it loses this process, too;
//  GT3 each link and the waiting for the next call count in `live_`, and the completion queue is shut down at 0.
class GrpcTransport::Impl : public std::enable_shared_from_this<GrpcTransport::Impl> {
 public:
  explicit Impl(GrpcOptions options);

  absl::Status Listen();
  const std::string& socket() const { return options_.socket; }
  int port() const { return listener_->port(); }
  const std::shared_ptr<Traffic>& traffic() const { return options_.traffic; }
  void SetEvents(Introducer introducer, OnCut on_cut);
  void Start(Receiver* receiver, base::TaskQueue* queue);
  void Introduce(ProcessId id, Introduction introduction);
  void SetReport(std::function<std::string()> report);
  // Whether that is news.
  bool Lose(ProcessId id, const absl::Status& why);
  absl::Status Send(ProcessId to, Stream stream, Frame frame);
  void Close();

 private:
  using LinkPtr = std::shared_ptr<GrpcLink>;
  struct Question;
  GrpcPeer& PeerOf(ProcessId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return peers_.try_emplace(id, id, options_.redial).first->second;
  }
  absl::Status StartThreads();
  void Poll();
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnCall(std::unique_ptr<AcceptedCall> call);
  absl::Status Check(const AcceptedCall& call, ProcessId* from, Stream* stream);
  absl::Status Meet(ProcessId from, const AcceptedCall& call, std::vector<Frame>* freed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  GrpcLink::Wire WireOf(const GrpcPeer& peer, Stream stream, bool remote) const {
    return {options_.traffic, remote, options_.compression, peer.talk.arrivals(stream), life_};
  }
  bool OnReport(std::unique_ptr<AcceptedCall>& call);
  GrpcLink::Events EventsFor(ProcessId id, Stream stream, const std::shared_ptr<LinkPtr>& holder);
  void DialBoth(ProcessId id, GrpcPeer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Dial(ProcessId id, GrpcPeer& peer, Stream stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SendToSelf(Stream stream, Frame frame);
  void Deliver(ProcessId id, Stream stream, std::vector<Frame> frames, std::shared_ptr<std::atomic<bool>> peer_open);
  void OnMessage(ProcessId id, Stream stream, const std::shared_ptr<LinkPtr>& holder, Heard heard);
  absl::Status Hear(ProcessId id, Stream stream, const LinkPtr& link, Heard* heard, std::vector<Frame>* freed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteWhole(GrpcPeer& peer, const GrpcLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRoom(ProcessId id, Stream stream, const std::shared_ptr<LinkPtr>& holder);
  void Owe(ProcessId id, Stream stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AcknowledgeOwed();
  void OnGone(ProcessId id, const std::shared_ptr<LinkPtr>& holder, const absl::Status& status);
  void LookLater(ProcessId id, GrpcPeer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Look(ProcessId id);
  void LoseUnlessIntroduced(ProcessId id);
  absl::Status GivenUp(const GrpcPeer& peer, Redial::Action action) const;
  void LinkGone();
  void AskFor(ProcessId id);

  const GrpcOptions options_;
  Receiver* receiver_ = nullptr;
  base::TaskQueue* queue_ = nullptr;
  Introducer introducer_;
  OnCut on_cut_;
  const uint64_t life_;
  const std::shared_ptr<std::atomic<bool>> open_ = std::make_shared<std::atomic<bool>>(true);

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> completions_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<grpc::Server> server_;
  std::thread poller_;

  base::Mutex mutex_;
  base::CondVar none_live_;
  absl::node_hash_map<ProcessId, GrpcPeer> peers_ ABSL_GUARDED_BY(mutex_);
  int live_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::pair<ProcessId, Stream>> owed_ ABSL_GUARDED_BY(mutex_);  // acknowledgements; if any, a timer runs
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<std::string()> report_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc
