#include "worker/side_threads.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <system_error>
#include <utility>

namespace twinkle::worker {
namespace {

absl::StatusOr<std::unique_ptr<base::TaskQueue>> NewThread(base::Executor& executor, const std::string& name) {
  try {
    return executor.NewQueue(name);
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(absl::StrCat("the node daemon cannot start a thread: ", error.what()));
  }
}

}  // namespace

SideThreads::SideThreads(base::Executor* executor, Post post)
    : executor_(*executor), post_(std::move(post)), state_(std::make_shared<State>()) {}

SideThreads::~SideThreads() {
  std::map<uint64_t, std::unique_ptr<base::TaskQueue>> left;
  {
    base::MutexLock lock(&state_->mutex);
    state_->closed = true;
    left.swap(state_->threads);
  }
  for (const auto& [id, thread] : left) thread->Abandon();
}

absl::Status SideThreads::Run(const std::string& name, base::Task work, base::Task done) {
  auto thread = NewThread(executor_, name);
  if (!thread.ok()) return thread.status();
  base::TaskQueue* const queue = thread->get();
  uint64_t id = 0;
  {
    base::MutexLock lock(&state_->mutex);
    id = state_->next++;
    state_->threads[id] = *std::move(thread);
  }
  queue->Post([state = state_, post = post_, id, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;
    post([state, id, done = std::move(done)]() mutable { CameBack(*state, id, done); });
  });
  return absl::OkStatus();
}

void SideThreads::CameBack(State& state, uint64_t id, base::Task& done) {
  std::unique_ptr<base::TaskQueue> thread;
  {
    base::MutexLock lock(&state.mutex);
    if (state.closed) return;
    const auto found = state.threads.find(id);
    thread = std::move(found->second);
    state.threads.erase(found);
  }
  thread->Close();
  done();
}

size_t SideThreads::running() const {
  base::MutexLock lock(&state_->mutex);
  return state_->threads.size();
}

}  // namespace twinkle::worker
