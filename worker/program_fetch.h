// A file from the node daemon of another machine.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::worker {

// Writes the program, or with a path the file that it needs, into the descriptor; `from` is the gRPC target of the node
// daemon that has it. Blocks, `limit` at most. Unavailable: the node does not answer; ResourceExhausted: it is larger
// than `most` bytes; what the node or the disk says.
absl::Status FetchFile(const v1::FetchProgram& wanted, const std::string& from, const std::string& token,
                       absl::Duration limit, uint64_t most, int to);

// Writes all of it. ResourceExhausted and the like: what the disk says.
absl::Status WriteAll(int to, const std::string& bytes);

}  // namespace twinkle::worker
