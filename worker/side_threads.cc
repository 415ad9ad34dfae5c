#include "worker/side_threads.h"

#include <utility>

#include "runtime/base/status.h"

namespace twinkle::worker {

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
  std::unique_ptr<base::TaskQueue> thread = executor_.NewQueue(name);
  if (thread == nullptr) return base::Annotate(base::NoThread(), "the node daemon cannot start a thread");
  base::TaskQueue* const queue = thread.get();
  uint64_t id = 0;
  {
    base::MutexLock lock(&state_->mutex);
    id = state_->next++;
    state_->threads[id] = std::move(thread);
  }
  queue->Post([state = state_, post = post_, id, work = std::move(work), done = std::move(done)]() mutable {
    work();
    work = nullptr;
    post([state, id, done = std::move(done)]() mutable { OnWorkDone(*state, id, done); });
  });
  return absl::OkStatus();
}

void SideThreads::OnWorkDone(State& state, uint64_t id, base::Task& done) {
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
