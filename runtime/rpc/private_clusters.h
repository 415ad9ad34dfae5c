// Where the private clusters of this user and machine are, for commands that look at them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

struct PrivateClusterFacts {
  pid_t program = 0;   // whose cluster it is
  std::string target;  // where its driver listens
  std::string token;
};

// The folder with one record a cluster, which nobody but its user can open: in $XDG_RUNTIME_DIR, else /tmp.
std::string PrivateClustersFolder();

// The record of a private cluster, kept by its driver: a locked file, so that one whose driver was killed is known from
// one that lives. Removed with its owner, and the folder with the last.
class PrivateClusterRecord {
 public:
  // PermissionDenied: somebody else made the folder, or may look into it. Others: it cannot be written.
  static absl::StatusOr<PrivateClusterRecord> Write(const std::string& folder, const PrivateClusterFacts& facts);
  PrivateClusterRecord(PrivateClusterRecord&&) = default;
  PrivateClusterRecord& operator=(PrivateClusterRecord&&) = delete;
  ~PrivateClusterRecord();

 private:
  PrivateClusterRecord(std::string path, base::Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  base::Fd lock_;
};

// That who looks into the folder finds them: it is this user's alone, or there is none yet. PermissionDenied: it is
// not, or its mode keeps this user out, too; with the way out.
absl::Status CheckPrivateClusters(const std::string& folder);

// What the driver of this program's cluster has left, if it was killed: the record, and the folder if it is empty then.
void RemovePrivateCluster(const std::string& folder, pid_t program);

// Those that live, by their programs' numbers; what is left of others is removed. Empty where the folder is not this
// user's own.
std::vector<PrivateClusterFacts> PrivateClusters(const std::string& folder);

}  // namespace twinkle::rpc
