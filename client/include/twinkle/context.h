// Context(): the rank on which the calling code runs.
#pragma once

#include <twinkle/answer.h>
#include <twinkle/device_mesh.h>
#include <twinkle/internal/export.h>
#include <twinkle/internal/rank_facts.h>

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twinkle {

class Communicator;  // <twinkle/communicator.h>

namespace internal {
// The facts of code outside any session. Thread-safe.
TWINKLE_EXPORT const std::shared_ptr<const RankFacts>& FactsOfNobody();
}  // namespace internal

// A snapshot of the facts on a rank, cheap to copy. Keep a copy to ask Cancelled() from threads that a method starts.
// References that it returns are valid as long as a copy of it exists; without a copy until the call ends, or in the
// program until the session ends. So for (int device : twinkle::Context().devices()) is safe. Thread-safe.
class TWINKLE_EXPORT RankContext {
 public:
  int rank() const { return facts_->rank; }                   // in the group; 0 in the program
  int world_size() const { return facts_->world_size; }       // worker processes of the group; 1 in the program
  const std::string& group() const { return facts_->group; }  // empty in the program
  // The component's mesh, otherwise the session's, if it has one.
  const std::optional<DeviceMesh>& device_mesh() const { return facts_->mesh; }
  const std::vector<int>& devices() const { return facts_->devices; }  // device indexes of the job; empty: no devices
  uint64_t seed() const { return facts_->seed; }

  // Whether the call under way has ended for its caller (cancelled, out of time, failed on another rank). The method
  // should return soon then.
  bool Cancelled() const { return cancelled_ != nullptr && *cancelled_; }

  // HOST:PORT for the component's own connections, the same on every rank. FailedPrecondition: the calling code is not
  // in a component.
  Answer<std::string> Rendezvous() const;

  // All ranks of the component whose method the calling thread runs, or, with names of dimensions of its mesh, those
  // that differ from this rank in these only. Nothing is sent. It may be kept for the object's life. Whoever uses it
  // includes <twinkle/communicator.h>. FailedPrecondition: the calling code is in no method of a component, or in one
  // of a class with MaxConcurrency. InvalidArgument: the mesh has no such dimension, or there is none, or the ranks do
  // not stand for it.
  Answer<twinkle::Communicator> Communicator() const;
  Answer<twinkle::Communicator> Communicator(std::string_view dim) const;
  Answer<twinkle::Communicator> Communicator(std::initializer_list<std::string_view> dims) const;

 private:
  friend TWINKLE_EXPORT RankContext Context();
  // Shared with the object, or the program.
  std::shared_ptr<const internal::RankFacts> facts_ = internal::FactsOfNobody();
  std::shared_ptr<const std::atomic<bool>> cancelled_;
};

// The context of the calling thread: inside a remote method or constructor that of its rank, otherwise the program's.
// Thread-safe.
TWINKLE_EXPORT RankContext Context();

}  // namespace twinkle
