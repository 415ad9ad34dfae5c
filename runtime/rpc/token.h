// The cluster's token, which lets programs, nodes and commands in, and the file it is in.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace twinkle::rpc {

// The default token file: $TWINKLE_TOKEN_FILE, else .twinkle/token in the home directory, which is $HOME or what the
// system's list of users says. Empty: there is none.
std::string DefaultTokenFile();

// Reads the token from a file. May block on the disk, but not on a pipe. NotFound: there is no such file.
// PermissionDenied: others may read the file. InvalidArgument: it is no regular file, holds no token or one that cannot
// be sent, or no file is named. Every message names the file.
absl::StatusOr<std::string> ReadToken(const std::string& file);

// Reads the token from a file. If there is no file it makes one with a new token, which only this user can read. Errors
// as ReadToken, and why the file cannot be made.
absl::StatusOr<std::string> ReadOrMakeToken(const std::string& file);

}  // namespace twinkle::rpc
