// The files of a program, as node daemons are told of them.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::internal {

// The SHA-256 of this program's own file. Blocks while it is read.
absl::StatusOr<std::string> OwnDigest();

// Describes InitializeOptions.files. InvalidArgument: a file is not there, cannot be read or is no regular file; two
// have one base name, by which ranks find them. With `digests` (blocks while all are read) other node daemons can check
// their copies.
absl::StatusOr<std::vector<v1::File>> DescribeFiles(const std::vector<std::string>& files, bool digests);

}  // namespace twinkle::internal
