#include "runtime/rpc/address.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

namespace twinkle::rpc {
namespace {

constexpr int kHighestPort = 65535;

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text, absl::string_view what, bool any_port) {
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is HOST:PORT, like gpu-1:7077 or [::1]:7077; '", text, "' ", why));
  };
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return bad("has no port");
  const absl::string_view written = text.substr(0, colon), host = WithoutBrackets(written);
  if (host.empty()) return bad("has no host");
  if (host.size() == written.size() && absl::StrContains(host, ':'))
    return bad("has colons in its host: put that in brackets");
  HostPort parsed{std::string(host), 0};
  if (!absl::SimpleAtoi(text.substr(colon + 1), &parsed.port) || parsed.port < 0 || parsed.port > kHighestPort ||
      (parsed.port == 0 && !any_port)) {
    return bad(absl::StrCat("has no port from ", any_port ? 0 : 1, " to ", kHighestPort));
  }
  return parsed;
}

std::string JoinHostPort(absl::string_view host, int port) {
  const bool wants_brackets = absl::StrContains(host, ':') && !absl::StartsWith(host, "[");
  return absl::StrCat(wants_brackets ? "[" : "", host, wants_brackets ? "]" : "", ":", port);
}

absl::string_view WithoutBrackets(absl::string_view host) {
  if (!absl::StartsWith(host, "[") || !absl::EndsWith(host, "]")) return host;
  return host.substr(1, host.size() - 2);
}

std::string HostOf(absl::string_view address) {
  return std::string(WithoutBrackets(address.substr(0, address.rfind(':'))));
}

bool IsLoopback(absl::string_view host) {
  return absl::StartsWith(host, "127.") || host == "localhost" || host == "::1";
}

}  // namespace twinkle::rpc
