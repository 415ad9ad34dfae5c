// Where the calling code runs.
#pragma once

#include <twinkle/answer.h>
#include <twinkle/device_mesh.h>
#include <twinkle/internal/export.h>
#include <twinkle/internal/rank_facts.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace twinkle {
namespace internal {
// Those of code outside any session.
TWINKLE_EXPORT const std::shared_ptr<const RankFacts>& FactsOfNobody();
}  // namespace internal

// A snapshot, cheap to copy; keep it to ask Cancelled() from threads that a method starts. References that it gives are
// good as long as a copy of it, and without one until the call ends, in the program until the session does: so
// for (int device : twinkle::Context().devices()) is safe.
class TWINKLE_EXPORT RankContext {
 public:
  int rank() const { return facts_->rank; }                   // in the group; 0 in the program
  int world_size() const { return facts_->world_size; }       // worker processes of the group; 1 in the program
  const std::string& group() const { return facts_->group; }  // empty in the program
  // The component's mesh, else the session's, if there is one.
  const std::optional<DeviceMesh>& device_mesh() const { return facts_->mesh; }
  const std::vector<int>& devices() const { return facts_->devices; }  // device indexes of the job; empty without
  uint64_t seed() const { return facts_->seed; }

  // Whether the call under way has ended for its caller (cancelled, out of time, failed on another rank): leave it
  // soon.
  bool Cancelled() const { return cancelled_ != nullptr && *cancelled_; }

  // HOST:PORT for the component's own connections, the same on every rank. FailedPrecondition outside components.
  Answer<std::string> Rendezvous() const;

 private:
  friend TWINKLE_EXPORT RankContext Context();
  std::shared_ptr<const internal::RankFacts> facts_ = internal::FactsOfNobody();  // also the object's, or the program's
  std::shared_ptr<const std::atomic<bool>> cancelled_;
};

// Of the calling thread: inside a remote method or constructor that of its rank, else the program's.
TWINKLE_EXPORT RankContext Context();

}  // namespace twinkle
