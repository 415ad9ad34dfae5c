#include "runtime/rpc/wire_words.h"

#include <absl/strings/match.h>

namespace twinkle::rpc {
namespace {

constexpr struct {
  const char* grpc;
  const char* words;
} kWords[] = {
    {"Connection refused", "nobody listens there: the connection was refused"},
    {"Connection reset by peer", "the other side reset the connection"},
    {"Broken pipe", "the other side closed the connection"},
    {"Socket closed", "the other side closed the connection"},
    {"Connection timed out", "the other machine is silent"},
    {"connection attempt timed out", "the other side is silent"},
    {"No route to host", "the network has no way to the other machine"},
    {"Network is unreachable", "the network has no way to the other machine"},
};
// How gRPC begins what it says of a connection, where it is more than the cause.
constexpr const char* kBeginnings[] = {"failed to connect to all addresses",
                                       "recvmsg:",
                                       "sendmsg:",
                                       "ipv4:",
                                       "ipv6:",
                                       "unix:",
                                       "unix-abstract:",
                                       "Socket closed",
                                       "connection attempt timed out"};

bool IsOfGrpc(const std::string& text) {
  for (const char* beginning : kBeginnings) {
    if (absl::StartsWith(text, beginning)) return true;
  }
  return false;
}

}  // namespace

std::string InWords(const std::string& text) {
  if (!IsOfGrpc(text)) return text;
  for (const auto& [grpc, words] : kWords) {
    if (absl::StrContains(text, grpc)) return words;
  }
  return text;
}

}  // namespace twinkle::rpc
