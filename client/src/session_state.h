// The session that Initialize made: the library's only global.
#pragma once

#include <absl/status/status.h>
#include <twinkle/session.h>

#include <memory>

#include "client/src/local_files.h"
#include "runtime/actor/job.h"

namespace twinkle::internal {

// A session: its options, and its job. Thread-safe; constant but for its end.
class SessionState {
 public:
  // `files`: for ranks that are in this process; may be null.
  SessionState(InitializeOptions options, std::unique_ptr<actor::Job> job, std::unique_ptr<LocalFiles> files = nullptr)
      : options_(std::move(options)), files_(std::move(files)), job_(std::move(job)) {}

  // Waits for the calls under way, ends the job, and returns the first failure that nobody looked at. Called once.
  absl::Status End();
  // Ends the job without waiting for calls.
  void EndNow(const absl::Status& why) { job_->Shutdown(why); }

  const InitializeOptions& options() const { return options_; }
  bool local() const { return options_.mode == Mode::kLocal; }
  const actor::Job& job() const { return *job_; }

  // The session there is, or null.
  static std::shared_ptr<SessionState> Current();
  // Makes this the session. False: there is one already.
  static bool Install(const std::shared_ptr<SessionState>& state);
  static void Remove(const SessionState* state);

 private:
  void WaitForCalls() const;

  const InitializeOptions options_;
  const std::unique_ptr<LocalFiles> files_;
  const std::unique_ptr<actor::Job> job_;
};

// The interface of the process whose code the calling thread runs: a rank's inside its remote methods, else the
// program's. Null: there is no session.
std::shared_ptr<actor::UserApi> CurrentApi();

}  // namespace twinkle::internal
