// Records of the private clusters of this user on this machine, by which commands find them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/fd.h"

namespace twinkle::rpc {

// What a record says of a private cluster.
struct PrivateClusterFacts {
  pid_t program = 0;   // pid of the program that owns the cluster
  std::string target;  // gRPC target of its driver
  std::string token;
};

// The folder of the records, which nobody but its user can open: in $XDG_RUNTIME_DIR, else in /tmp.
std::string PrivateClustersFolder();

// The record of a private cluster, which its driver keeps. It is a locked file, so the record of a driver that was
// killed can be told from that of one that lives. Removed by the destructor, and the folder with the last record. For
// one thread at a time.
class PrivateClusterRecord {
 public:
  // Writes a record. PermissionDenied: another user made the folder, or others may look into it. Other errors: why the
  // record cannot be written.
  static absl::StatusOr<PrivateClusterRecord> Write(const std::string& folder, const PrivateClusterFacts& facts);
  PrivateClusterRecord(PrivateClusterRecord&&) = default;
  PrivateClusterRecord& operator=(PrivateClusterRecord&&) = delete;
  ~PrivateClusterRecord();

 private:
  PrivateClusterRecord(std::string path, base::Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  base::Fd lock_;
};

// Checks that commands can find the records in the folder: it belongs to this user alone, or does not exist yet.
// PermissionDenied: it is another user's, is open to others, or its mode keeps this user out; the message says what to
// do.
absl::Status CheckPrivateClusters(const std::string& folder);

// Removes the record that a killed driver of this program's cluster has left, and the folder if that is empty then.
void RemovePrivateCluster(const std::string& folder, pid_t program);

// The private clusters that live, in the order of their programs' pids. Removes records of others. Empty if the folder
// is not this user's own.
std::vector<PrivateClusterFacts> PrivateClusters(const std::string& folder);

}  // namespace twinkle::rpc
