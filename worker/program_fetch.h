// Fetches a file from the node daemon of another machine.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::worker {

// The node daemon that has the file.
struct FileSource {
  std::string target;  // gRPC target
  std::string token;
  rpc::KeepAlive keep_alive = {};
};

// Writes the program (or, with a path in `wanted`, a file that it needs) into the descriptor `to`. Blocks, at most for
// `limit`. Unavailable: the node does not answer; ResourceExhausted: the file is larger than `most` bytes; other
// errors: those of the node or the disk.
absl::Status FetchFile(const v1::FetchProgram& wanted, const FileSource& from, absl::Duration limit, uint64_t most,
                       int to);

// Writes all of `bytes` into the descriptor `to`. Blocks. ResourceExhausted and others: the disk's error.
absl::Status WriteAll(int to, const std::string& bytes);

}  // namespace twinkle::worker
