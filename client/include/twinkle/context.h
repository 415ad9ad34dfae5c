// Where the calling code runs.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_mesh.h>
#include <twinkle/internal/export.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace twinkle {

// A snapshot, cheap to copy; keep it to ask Cancelled() from threads that a method starts.
class TWINKLE_EXPORT RankContext {
 public:
  int rank() const { return rank_; }                   // in the group; 0 in the program
  int world_size() const { return world_size_; }       // worker processes of the group; 1 in the program
  const std::string& group() const { return group_; }  // empty in the program
  // The component's mesh, else the session's, if there is one.
  const std::optional<DeviceMesh>& device_mesh() const { return mesh_; }
  const std::vector<int>& devices() const { return devices_; }  // device indexes of the job; empty without
  uint64_t seed() const { return seed_; }

  // Whether the call under way has ended for its caller (cancelled, out of time, failed on another rank): leave it
  // soon.
  bool Cancelled() const { return cancelled_ != nullptr && *cancelled_; }

  // HOST:PORT for the component's own connections, the same on every rank. FailedPrecondition outside components.
  absl::StatusOr<std::string> Rendezvous() const;

 private:
  friend TWINKLE_EXPORT RankContext Context();
  int rank_ = 0;
  int world_size_ = 1;
  std::string group_;
  std::optional<DeviceMesh> mesh_;
  std::vector<int> devices_;
  uint64_t seed_ = 0;
  uint64_t component_ = 0;
  std::shared_ptr<const std::atomic<bool>> cancelled_;
};

// Of the calling thread: inside a remote method or constructor that of its rank, else the program's.
TWINKLE_EXPORT RankContext Context();

}  // namespace twinkle
