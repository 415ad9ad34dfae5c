// A file from the node daemon of another machine.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::worker {

// The node daemon that has it.
struct FileSource {
  std::string target;  // gRPC's
  std::string token;
  rpc::KeepAlive keep_alive = {};
};

// Writes the program, or with a path the file that it needs, into the descriptor. Blocks, `limit` at most. Unavailable:
// the node does not answer; ResourceExhausted: it is larger than `most` bytes; what the node or the disk says.
absl::Status FetchFile(const v1::FetchProgram& wanted, const FileSource& from, absl::Duration limit, uint64_t most,
                       int to);

// Writes all of it. ResourceExhausted and the like: what the disk says.
absl::Status WriteAll(int to, const std::string& bytes);

}  // namespace twinkle::worker
