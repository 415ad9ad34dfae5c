#include "runtime/rpc/near/neighbour.h"

#include <unistd.h>

#include <utility>

namespace twinkle::rpc {

bool Neighbour::To(State next) {
  const State now = state();
  const bool follows = [&] {
    switch (next) {
      case State::kStranger:
        return false;
      case State::kAsked:
        return now == State::kStranger;
      case State::kNear:
        return now == State::kAsked;
      case State::kFar:
        return now == State::kStranger || now == State::kAsked;
      case State::kGone:
      case State::kLost:
        return now < next;
    }
    return false;
  }();
  if (follows) state_.store(next, std::memory_order_release);
  return follows;
}

absl::Status Neighbour::why() const {
  base::MutexLock lock(&mutex_);
  return why_;
}

std::shared_ptr<const PeerMemory> Neighbour::memory() const {
  base::MutexLock lock(&mutex_);
  return memory_;
}

// ---- introductions
std::optional<Hello> Neighbour::Greet(bool may_be_near, const Probe& probe, const Rings& rings) {
  base::MutexLock lock(&mutex_);
  if (!To(may_be_near && (probe.there() || rings.there()) ? State::kAsked : State::kFar)) return std::nullopt;
  if (state() == State::kFar) return std::nullopt;
  Hello hello{::getpid(), probe.fd(), probe.nonce(), std::nullopt};
  if (rings.there()) hello.rings = link_.MakeMine(hello.nonce, rings.bell());
  return hello;
}

HelloAnswer Neighbour::OnHello(const Hello& hello, const Rings& rings, SharedBuffers* buffers) {
  const auto memory = buffers->MemoryOf(hello);
  base::MutexLock lock(&mutex_);
  if (is_over()) return {::getpid(), false, false};
  if (memory.ok() && memory_ == nullptr) memory_ = *memory;
  return {::getpid(), memory.ok(),
          rings.there() && hello.rings && link_.MapTheirs(hello.pid, hello.nonce, *hello.rings)};
}

void Neighbour::OnAnswer(const HelloAnswer& answer) {
  base::ProcessMark reader;
  if (answer.readable) reader = base::ProcessMark::Of(answer.pid);
  base::MutexLock lock(&mutex_);
  if (state() != State::kAsked) return;
  reader_ = reader;  // before anything is shared with the reader
  To(reader.pid != 0 ? State::kNear : State::kFar);
  link_.OnAnswer(answer.rings);
}

absl::Status Neighbour::OnSwitched(Stream stream) {
  base::MutexLock lock(&mutex_);
  if (is_over()) return absl::FailedPreconditionError("it goes on though it is gone");
  return link_.OnSwitched(stream);
}

// ---- the end
void Neighbour::End(State end, const absl::Status& why) {
  base::MutexLock lock(&mutex_);
  if (!is_over()) why_ = why;
  To(end);
}

base::ProcessMark Neighbour::LetGo() {
  std::shared_ptr<const PeerMemory> memory;  // destroyed without the lock
  base::MutexLock lock(&mutex_);
  To(State::kLost);
  memory = std::move(memory_);
  return reader_;
}

}  // namespace twinkle::rpc
