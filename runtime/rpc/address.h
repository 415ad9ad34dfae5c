// Network addresses of the form HOST:PORT, as people write them and gRPC takes them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>

namespace twinkle::rpc {

struct HostPort {
  std::string host;  // a name or an address, without brackets
  int port = 0;
};

// Parses an address such as "gpu-1:7077", "10.0.0.1:7077" or "[::1]:7077". Port 0 is allowed only with `any_port`.
// `what` names the option in the error's text. InvalidArgument: the text is no such address; the message says why.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text, absl::string_view what, bool any_port = false);

// The address of a host and a port: "gpu-1:7077", "[::1]:7077". A host with colons gets brackets, if it has none.
std::string JoinHostPort(absl::string_view host, int port);

// The host without its brackets: "::1" for "[::1]". A host without brackets is returned as it is.
absl::string_view WithoutBrackets(absl::string_view host);

// The host of an address that JoinHostPort made, without brackets: what resolvers take.
std::string HostOf(absl::string_view address);

// Whether a host is the loopback, which only this machine reaches. Names are not looked up; "localhost" is known.
bool IsLoopback(absl::string_view host);

}  // namespace twinkle::rpc
