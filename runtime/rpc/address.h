// HOST:PORT, as people write it and as gRPC takes it.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>

namespace twinkle::rpc {

struct HostPort {
  std::string host;  // without brackets
  int port = 0;
};

// Of "gpu-1:7077", "10.0.0.1:7077", "[::1]:7077"; port 0 only with `any_port`. InvalidArgument says what is missing;
// `what` is the option's name, for the text.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text, absl::string_view what, bool any_port = false);

// "gpu-1:7077", "[::1]:7077": an address with colons of its own gets its brackets, if it has none.
std::string JoinHostPort(absl::string_view host, int port);

// "::1" of "[::1]"; a host that has no brackets as it is.
absl::string_view WithoutBrackets(absl::string_view host);

// The host of what JoinHostPort has made, without brackets: what resolvers take.
std::string HostOf(absl::string_view address);

// Whether only this machine reaches what listens there; by its name, which is not looked up.
bool IsLoopback(absl::string_view host);

}  // namespace twinkle::rpc
