#include "worker/node_service.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/base/end_limits.h"
#include "runtime/base/end_signals.h"
#include "runtime/base/event.h"
#include "runtime/base/log.h"
#include "runtime/base/memory.h"
#include "runtime/base/names.h"
#include "runtime/base/say_line.h"
#include "runtime/base/status.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/keep_alive.h"
#include "runtime/rpc/ports.h"
#include "runtime/rpc/private_clusters.h"
#include "worker/own_children.h"
#include "worker/program_fetch.h"

namespace twinkle::worker {
namespace {

constexpr absl::Duration kReconnectInterval = absl::Seconds(1);
// For ranks of a lost driver to end before the node joins again.
constexpr absl::Duration kRejoinLimit = absl::Seconds(10);
constexpr absl::Duration kIdlePoll = absl::Milliseconds(5);
constexpr absl::Duration kAliveInterval = absl::Seconds(4);  // where the driver gives no lease
constexpr int kAliveInLease = 5;                             // alive messages within one lease of the driver
constexpr absl::Duration kSilence = absl::Seconds(3);        // of a driver, until the log says that it does not answer
constexpr absl::Duration kTellAgain = absl::Minutes(1);      // between log lines that the driver cannot be reached
constexpr absl::Duration kStopLimit = absl::Seconds(2);
constexpr absl::Duration kFetchLimit = absl::Minutes(5);   // for a file from another node
constexpr absl::Duration kRemoveLimit = absl::Seconds(2);  // for removing what a killed spawner has left
constexpr int kOrphanRounds = 100;  // of EndOwnChildren, before the last lines of output are read
constexpr int kEndRounds = 5000;    // of EndOwnChildren at the end, as in the spawner
constexpr absl::Duration kLookInterval = absl::Seconds(1);  // between looks at whether processes are stopped, or less
constexpr absl::Duration kLeastLookInterval = absl::Milliseconds(20);
constexpr int kLooksInLimit = 4;  // looks within the limit for which a process may be stopped

// Whether a driver that gave this error will give it again.
bool IsRefusal(const absl::Status& why) {
  return absl::IsUnauthenticated(why) || absl::IsInvalidArgument(why) || absl::IsFailedPrecondition(why) ||
         absl::IsPermissionDenied(why) || absl::IsUnimplemented(why);
}

}  // namespace

NodeService::NodeService(ServiceOptions options, Spawner spawner)
    : options_(std::move(options)),
      node_(options_.node),
      door_(&loop_),
      executor_(base::NewThreadExecutor()),
      threads_(executor_.get(), [door = door_](base::Task task) { door.Post(std::move(task)); }),
      logs_({.folder = options_.log_folder}, executor_.get()),
      output_({}, &logs_),
      output_service_(Check(), &output_),
      program_service_(Check(), node_.place().pids(), &threads_),
      store_({.node = node_.name(),
              .place = node_.place(),
              .fetch =
                  [token = options_.token, keep_alive = options_.keep_alive](const v1::FetchProgram& wanted,
                                                                             const std::string& from, int to) {
                    // A copy of a program is kept in memory, so its size is limited.
                    const uint64_t most = wanted.path().empty() ? base::MachineMemory() / 4 : UINT64_MAX;
                    return FetchFile(wanted, {from, token, keep_alive}, kFetchLimit, most, to);
                  },
              .scratch = [this](const std::string& folder) { daemon_.KeepScratch(folder); },
              .scratch_gone = [this](const std::string& folder) { daemon_.ForgetScratch(folder); }},
             executor_.get(), [door = door_](base::Task task) { door.Post(std::move(task)); }),
      daemon_({.node = node_,
               .state = {.node = node_.name(),
                         .pids = node_.place().pids(),
                         .driver = options_.driver,
                         .only_machine = options_.own_machine_alone ? node_.place().machine() : "",
                         .start_limit = options_.start_limit,
                         .stopped_limit = options_.stopped_limit},
               .object_memory = options_.object_memory,
               .access = options_.access,
               .look_interval = std::clamp(options_.stopped_limit / kLooksInLimit, kLeastLookInterval, kLookInterval)},
              std::move(spawner), &loop_, &output_, &store_, &threads_,
              {[this](v1::NodeToDriver message) { link_.Send(std::move(message)); },
               [this](const std::string& text) { Say(text); }, [] { EndOwnChildren(kOrphanRounds); },
               [this] { OnSpawnerGone(); }}),
      link_(options_.driver, options_.token, options_.keep_alive) {}

NodeService::~NodeService() { door_.Close(); }

void NodeService::Say(const std::string& text) const {
  if (parent_ == nullptr) base::SayLine(STDERR_FILENO, absl::StrCat("twinkle-worker: ", text));
}

rpc::TokenCheck NodeService::Check() {
  return {"this twinkle-worker", options_.token, [this](const std::string& peer) { listener_->LetIn(peer); }};
}

absl::Status NodeService::Listen() {
  const std::string& host = options_.host;
  const rpc::KeepAlive& keep_alive = options_.keep_alive;
  TWINKLE_ASSIGN_OR_RETURN(
      listener_, rpc::Listener::Open({.socket = node_.endpoint().socket(), .host = host, .keep_alive = keep_alive}));
  grpc::ServerBuilder builder;
  listener_->Attach(builder);
  rpc::SetKeepAlive(builder, keep_alive);
  builder.RegisterService(&output_service_);
  builder.RegisterService(&program_service_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("the server does not start");
  TWINKLE_RETURN_IF_ERROR(listener_->Start());
  if (!host.empty()) node_.mutable_endpoint()->set_address(rpc::JoinHostPort(host, listener_->port()));
  return absl::OkStatus();
}

int NodeService::Run(const rpc::ParentLink* parent) {
  const base::Fd fd(base::EndSignalFd());
  loop_.Watch(fd.get(), [this, number = fd.get()] {
    loop_.Forget(number);
    Stop();
  });
  parent_ = parent;
  if (parent != nullptr) {
    for (const int gone : {parent->fd(), parent->process_fd()}) {
      if (gone >= 0) loop_.Watch(gone, [this, gone] { OnParentGone(gone); });
    }
  }
  Connect();
  loop_.Run();
  link_.Close();
  listener_->Close();
  EndSpawner();
  EndOutput();
  door_.Close();
  if (parent != nullptr) rpc::RemovePrivateCluster(rpc::PrivateClustersFolder(), parent->program());
  if (threads_.running() == 0 && store_.idle()) return exit_code_;
  // A thread that hangs is left behind: nothing that it uses may be destroyed under it.
  base::FlushLog();
  ::_exit(exit_code_);
}

// ---- the driver
void NodeService::Connect() {
  const int connection = ++connection_;
  link_.Connect(node_, /*patient=*/parent_ != nullptr,
                {[this](const v1::DriverToNode& message) { loop_.Post([this, message] { OnMessage(message); }); },
                 [this](const absl::Status& why) { loop_.Post([this, why] { OnDriverGone(why); }); }});
  loop_.PostAfter(kSilence, [this, connection] {
    if (!joined_ && connection == connection_) TellUnreachable("it does not answer");
  });
}

void NodeService::OnMessage(const v1::DriverToNode& message) {
  node_.set_last_job(std::max(node_.last_job(), message.start().job()));
  if (!message.has_joined()) return daemon_.OnMessage(message);
  joined_ = true;
  told_unreachable_ = base::kLongAgo;
  const absl::Duration lease = absl::Milliseconds(message.joined().lease_ms());
  alive_interval_ = lease > absl::ZeroDuration() ? lease / kAliveInLease : kAliveInterval;
  if (parent_ != nullptr) {
    // Before SayAlive: the program waits for nothing else, and the driver knows ports from the joining.
    parent_->Ready();
  } else {
    base::SayLine(STDOUT_FILENO,
                  absl::StrCat("twinkle-worker: node '", node_.name(), "' has joined the driver at ", options_.driver));
  }
  SayAlive(connection_);
}

// Says that the node is alive, again and again, for as long as this connection lasts.
void NodeService::SayAlive(int connection) {
  if (connection != connection_ || !joined_) return;
  v1::NodeToDriver alive;
  for (int port : rpc::FreePorts(kPortsTold)) alive.mutable_alive()->add_free_ports(port);
  link_.Send(std::move(alive));
  loop_.PostAfter(alive_interval_, [this, connection] { SayAlive(connection); });
}

void NodeService::OnDriverGone(const absl::Status& why) {
  if (stopping_) return;
  if (spawner_gone_) return Stop();
  daemon_.EndAllJobs();
  const std::string why_gone = why.ok() ? "it has ended it" : base::Printable(why.message());
  if (IsRefusal(why) || parent_ != nullptr) {
    Say(why_gone);
    exit_code_ = 1;
    return loop_.Stop();
  }
  if (std::exchange(joined_, false)) {
    Say(absl::StrCat("the connection to the driver at ", options_.driver, " has ended (", why_gone,
                     "): its jobs are ended here; waiting for it to come back"));
    told_unreachable_ = base::Now();
  } else {
    TellUnreachable(why_gone);
  }
  const base::Instant latest = base::Now() + kRejoinLimit;
  loop_.PostAfter(kReconnectInterval, [this, latest] { ConnectWhenIdle(latest); });
}

// Connects again when no job is left, or at `latest`. What the node then reports as free (devices above all) is free.
void NodeService::ConnectWhenIdle(base::Instant latest) {
  if (stopping_) return;
  if (daemon_.idle() || base::Now() >= latest) return Connect();
  loop_.PostAfter(kIdlePoll, [this, latest] { ConnectWhenIdle(latest); });
}

// Logs that the driver cannot be reached: at once, then once in every kTellAgain.
void NodeService::TellUnreachable(const std::string& why) {
  const base::Instant now = base::Now();
  if (parent_ != nullptr || stopping_ || now - told_unreachable_ < kTellAgain) return;
  told_unreachable_ = now;
  Say(absl::StrCat("there is no connection to the driver at ", options_.driver, " (", why,
                   "): trying again until there is"));
}

// ---- the end
// The death of a killed spawner ends the wardens and the worker processes. What these had started becomes this
// process's children, and is ended here. Storage that hangs is not waited for.
void NodeService::EndSpawner() {
  if (!spawner_gone_ && daemon_.EndSpawner()) return;
  EndOwnChildren(kEndRounds);
  const base::Instant deadline = base::Now() + kRemoveLimit;
  const auto removed = std::make_shared<base::Event>();
  const auto remove = [leftovers = daemon_.Leftovers(), removed] {
    leftovers();
    removed->Set();
  };
  // The system may need a moment to take back the threads of processes that have ended.
  while (!threads_.Run("leftovers", remove).ok() && base::Now() < deadline) ::usleep(1000);
  removed->WaitUntil(deadline);
}

void NodeService::EndOutput() {
  daemon_.EndOutput();
  server_->Shutdown(rpc::DeadlineIn(base::kOutputLimit));  // until then watchers can read the rest
  logs_.Flush();
}

// The spawner, if it still runs, ends all processes.
void NodeService::OnParentGone(int fd) {
  loop_.Forget(fd);
  if (spawner_gone_) return Stop();
  loop_.Stop();
}

// The driver is told how the processes ended, and then that the jobs are cleared.
void NodeService::OnSpawnerGone() {
  spawner_gone_ = true;
  exit_code_ = 1;
  base::SayLine(STDERR_FILENO,
                "twinkle-worker: the spawner, which starts and watches this node's processes, is gone: they are ended");
  deadline_ = base::Now() + kStopLimit;
  StopWhenIdle();
}

void NodeService::Stop() {
  stopping_ = true;
  daemon_.EndAllJobs();
  deadline_ = base::Now() + kStopLimit;
  StopWhenIdle();
}

// Stops the loop when no job is left. At the deadline a daemon that waited for the driver to end its jobs ends them
// itself, so that their folders are removed, too.
void NodeService::StopWhenIdle() {
  if (spawner_gone_ && EndOwnChildren(1)) daemon_.OnOrphansEnded();
  if (daemon_.idle() && store_.idle()) return loop_.Stop();
  if (base::Now() >= deadline_) {
    if (stopping_) return loop_.Stop();
    return Stop();
  }
  loop_.PostAfter(kIdlePoll, [this] { StopWhenIdle(); });
}

}  // namespace twinkle::worker
