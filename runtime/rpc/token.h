// The token that lets programs, nodes and commands into a cluster.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace twinkle::rpc {

// Where it is when nobody says otherwise: $TWINKLE_TOKEN_FILE, else .twinkle/token in the home directory, $HOME or what
// the system knows. Empty: there is none.
std::string DefaultTokenFile();

// NotFound, naming the file; PermissionDenied: others may read it; InvalidArgument: it is no regular file, it holds no
// token, or none that can be shown, or no file is named. Waits for a disk, and for nobody who would write.
absl::StatusOr<std::string> ReadToken(const std::string& file);

// The token in the file; makes one, for this user's eyes only, where there is no file.
absl::StatusOr<std::string> ReadOrMakeToken(const std::string& file);

}  // namespace twinkle::rpc
