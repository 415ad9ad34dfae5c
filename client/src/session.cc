#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

#include "client/src/cluster_job.h"
#include "client/src/session_state.h"
#include "client/src/start_facts.h"
#include "client/src/worker_role.h"
#include "runtime/actor/in_process_job.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"
#include "runtime/base/forked.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"
#include "runtime/object/failure_log.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/wire_limits.h"

namespace twinkle {
namespace internal {
namespace {

constexpr absl::Duration kProgressInterval = absl::Seconds(5);
constexpr size_t kCallsNamed = 3;

struct Global {
  base::Mutex mutex;
  std::shared_ptr<SessionState> session ABSL_GUARDED_BY(mutex);
};
Global& TheGlobal() {
  static Global* global = new Global;  // worker threads may outlive static destructors
  return *global;
}

}  // namespace

std::shared_ptr<SessionState> SessionState::Current() {
  if (base::InForkedChild()) return nullptr;  // the lock may be held by a thread that is not here
  Global& global = TheGlobal();
  base::MutexLock lock(&global.mutex);
  return global.session;
}

bool SessionState::Install(const std::shared_ptr<SessionState>& state) {
  Global& global = TheGlobal();
  base::MutexLock lock(&global.mutex);
  if (global.session != nullptr) return false;
  global.session = state;
  return true;
}

void SessionState::Remove(const SessionState* state) {
  Global& global = TheGlobal();
  std::shared_ptr<SessionState> removed;  // its end must not run under the lock
  base::MutexLock lock(&global.mutex);
  if (global.session.get() == state) removed = std::move(global.session);
}

std::shared_ptr<actor::UserApi> CurrentApi() {
  if (base::InForkedChild()) return nullptr;
  if (const actor::CallContext* context = actor::CurrentContext()) return context->object->api;
  const auto session = SessionState::Current();
  return session == nullptr ? nullptr : session->job().program()->api();
}

void SessionState::WaitForCalls() const {
  const base::Instant deadline = base::Now() + options_.finish_timeout;
  while (!job_->WaitForCalls(std::min(deadline, base::Now() + kProgressInterval))) {
    const std::vector<std::string> some = job_->CallsUnderWay(kCallsNamed);
    if (!some.empty()) {
      std::fprintf(stderr, "twinkle: the session's end waits for calls under way: %s%s\n",
                   absl::StrJoin(some, ", ").c_str(), some.size() == kCallsNamed ? ", …" : "");
    }
    if (base::Now() >= deadline) return;
  }
}

absl::Status SessionState::End() {
  job_->program()->CloseToThreads();
  WaitForCalls();
  job_->Shutdown(base::SessionEnded());
  Remove(this);
  absl::Status unread = job_->CloseFailures();
  base::FlushLog();
  return unread;
}

}  // namespace internal

namespace {

absl::Status Bad(absl::string_view field, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("InitializeOptions.", field, ": ", why));
}

absl::Status Check(const InitializeOptions& options) {
  if (options.mode < Mode::kCluster || options.mode > Mode::kInProcess) {
    return Bad("mode", "must be kCluster, kInProcess or kLocal");
  }
  if (!options.name.empty()) {
    if (absl::Status bad = base::CheckName("InitializeOptions.name", options.name); !bad.ok()) return bad;
  }
  if (options.nproc_per_node < 1) return Bad("nproc_per_node", "must be at least 1");
  if (options.ncpu_proc_per_node < 1) return Bad("ncpu_proc_per_node", "must be at least 1");
  if (options.placement_timeout <= absl::ZeroDuration()) return Bad("placement_timeout", "must be positive");
  if (options.finish_timeout <= absl::ZeroDuration()) return Bad("finish_timeout", "must be positive");
  if (options.max_pending_calls < 1) return Bad("max_pending_calls", "must be at least 1");
  if (options.abort_grace < absl::ZeroDuration()) return Bad("abort_grace", "must not be negative");
  return absl::OkStatus();
}

actor::InProcessOptions JobOptions(const InitializeOptions& options) {
  actor::InProcessOptions job;
  job.groups = options.groups;
  job.start_workers = options.mode != Mode::kLocal;
  job.notifier = options.notifier;
  job.process.place = rpc::ThisPlace();
  job.process.seed = options.seed;
  job.process.session_mesh = options.device_mesh;
  job.process.sync = options.sync;
  job.process.lazy_collect = options.lazy_collect;
  job.process.abort_grace = options.abort_grace;
  job.process.max_pending_calls = static_cast<size_t>(options.max_pending_calls);
  return job;
}

absl::StatusOr<std::unique_ptr<actor::Job>> StartJob(const InitializeOptions& options) {
  try {
    if (options.mode == Mode::kCluster) {
      internal::ClusterLimits limits;
      TWINKLE_ASSIGN_OR_RETURN(limits.wires, rpc::WireLimitsOfEnvironment());
      return internal::ClusterJob::Start(options, limits);
    }
    return actor::InProcessJob::Start(JobOptions(options));
  } catch (const std::system_error&) {  // of std::thread
    return base::NoThread();
  }
}

}  // namespace

Answer<Session> Initialize(int, char**, InitializeOptions options) {
  if (base::InForkedChild()) return base::ForkedChildStatus();
  internal::KeepStandardDescriptors();
  if (internal::TakeWorkerRole()) internal::ServeAsWorker();
  TWINKLE_RETURN_IF_ERROR(Check(options));
  if (internal::SessionState::Current() != nullptr) {
    return absl::FailedPreconditionError("there is a session already: Finish it before the next Initialize");
  }
  std::unique_ptr<internal::LocalFiles> files;
  if (options.mode != Mode::kCluster && !options.files.empty()) {
    TWINKLE_ASSIGN_OR_RETURN(files, internal::LocalFiles::Make(options.files));
  }
  base::WatchForks();
  TWINKLE_ASSIGN_OR_RETURN(std::unique_ptr<actor::Job> job, StartJob(options));
  auto state = std::make_shared<internal::SessionState>(std::move(options), std::move(job), std::move(files));
  if (!internal::SessionState::Install(state)) {
    return absl::FailedPreconditionError("there is a session already: another thread has just made it");
  }
  return Session(std::move(state));
}

void ServeIfWorker(int, char**) {
  internal::KeepStandardDescriptors();
  if (internal::TakeWorkerRole()) internal::ServeAsWorker();
}

Session::Session(std::shared_ptr<internal::SessionState> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&& other) noexcept {
  Session ended(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}
Session::~Session() {
  if (state_ != nullptr) Finish().IgnoreError();  // what nobody looked at has been logged
}

absl::Status Session::Finish() {
  if (state_ == nullptr) return absl::FailedPreconditionError("the session was finished before");
  if (base::InForkedChild()) {
    // Kept for ever: its threads are not here, and its end is the parent's.
    new std::shared_ptr<internal::SessionState>(std::move(state_));
    return base::ForkedChildStatus();
  }
  if (actor::CurrentContext() != nullptr) {
    return absl::FailedPreconditionError("Finish was called inside a remote method, which it would wait for");
  }
  if (object::InNotifier()) {
    return absl::FailedPreconditionError(
        "Finish was called in the notifier, for whose thread it would wait: call it in another");
  }
  return std::exchange(state_, nullptr)->End();
}

}  // namespace twinkle
