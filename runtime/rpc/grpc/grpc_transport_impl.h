// The implementation of GrpcTransport, in three files. grpc_transport.cc sends and receives, grpc_transport_calls.cc
// takes the calls that come in, grpc_transport_ends.cc handles broken connections and lost peers.
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

// Metadata of a call that opens a stream, besides the protocol, the secret and the caller's process id.
inline constexpr char kToKey[] = "twinkle-to";      // process id of the receiver
inline constexpr char kLifeKey[] = "twinkle-life";  // identity of the caller (GrpcPeer::life)
// Identity of the receiver as the caller knows it; 0: not known yet.
inline constexpr char kKnownLifeKey[] = "twinkle-to-life";
inline constexpr char kHeardKey[] = "twinkle-heard";  // number of the receiver's frames that have arrived at the caller

// The state of a transport, kept by its callbacks. Thread-safe as GrpcTransport is; `mutex_` guards the peers.
// Invariants:
//  GT1 a peer's connections are made, heard and broken in its Conversation, and nowhere else;
//  GT2 the links of a lost peer (peer.h) are cancelled, and new ones refused, so that it loses this process, too;
//  GT3 each link, and each wait for the next call, counts in `live_`; the completion queue is shut down at 0.
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
  // Loses a peer. False: it was lost before.
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
  // Closes to new links, and cancels those there are. False: it was done before.
  bool CancelLinks();
  // Waits until the last link is gone, and lets go of the peers.
  void AwaitNoneLive();
  // Waits for the next call.
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnCall(std::unique_ptr<AcceptedCall> call);
  // Checks protocol, secret and method of a peer's call.
  absl::Status Check(const AcceptedCall& call, ProcessId* from, Stream* stream);
  // Checks that the caller is the same process as before, and means this one.
  absl::Status Meet(ProcessId from, const AcceptedCall& call, std::vector<Frame>* freed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  GrpcLink::Wire WireOf(const GrpcPeer& peer, Stream stream, bool remote) const {
    return {options_.traffic, remote, options_.compression, peer.talk.arrivals(stream), life_};
  }
  // Answers or refuses a command's call for the report. False: the call is a peer's.
  bool OnReport(std::unique_ptr<AcceptedCall>& call);
  GrpcLink::Events EventsFor(ProcessId id, Stream stream);
  // Makes a connection for each stream that has none. Both are needed: the peer may answer on either, and may not know
  // where this process is.
  void DialBoth(ProcessId id, GrpcPeer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Dial(ProcessId id, GrpcPeer& peer, Stream stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SendToSelf(Stream stream, Frame frame);
  void Deliver(ProcessId id, Stream stream, std::vector<Frame> frames, std::shared_ptr<std::atomic<bool>> peer_open);
  void OnMessage(ProcessId id, Stream stream, const LinkPtr& link, ReceivedMessage message);
  absl::Status TakeMessage(ProcessId id, Stream stream, const LinkPtr& link, ReceivedMessage* message,
                           std::vector<Frame>* freed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Opens the peer if each stream has a connection that works.
  void OpenIfComplete(GrpcPeer& peer, const GrpcLink& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRoom(ProcessId id, Stream stream, const LinkPtr& link);
  // Acknowledges in a while, by one timer for all peers.
  void Owe(ProcessId id, Stream stream) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AcknowledgeOwed();
  void OnGone(ProcessId id, const LinkPtr& link, const absl::Status& status);
  void MendLater(ProcessId id, GrpcPeer& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Looks after a broken peer: from its break until it is whole again or lost.
  void Mend(ProcessId id);
  void LoseUnlessIntroduced(ProcessId id);
  // Why a peer must be given up; OK: it need not be, yet.
  absl::Status GivenUp(const GrpcPeer& peer, Redial::Action action) const;
  // A link, or a wait for a call, has ended (GT3).
  void LinkGone();
  // Asks the introducer for a peer.
  void AskFor(ProcessId id);

  const GrpcOptions options_;
  Receiver* receiver_ = nullptr;
  base::TaskQueue* queue_ = nullptr;
  Introducer introducer_;
  OnCut on_cut_;
  const uint64_t life_;  // this process's identity (GrpcPeer::life)
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
  // Acknowledgements that are due; if there are any, a timer runs.
  std::vector<std::pair<ProcessId, Stream>> owed_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<std::string()> report_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc
