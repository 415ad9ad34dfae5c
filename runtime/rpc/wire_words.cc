#include "runtime/rpc/wire_words.h"

#include <absl/strings/match.h>

namespace twinkle::rpc {
namespace {

// A text of gRPC, and its words for people.
struct Words {
  const char* grpc;
  const char* people;
};

constexpr char kClosed[] = "the other side closed the connection";
constexpr char kDropped[] = "the other side dropped the call";
constexpr char kStops[] = "the other side stops";
constexpr char kNoOneThere[] = "nobody listens there: the connection was refused";
constexpr char kSilentSide[] = "the other side is silent";
constexpr char kSilentMachine[] = "the other machine is silent";
constexpr char kNoWay[] = "the network has no way to the other machine";
constexpr char kUnknownName[] = "no machine of that name is known";
constexpr char kTooLong[] = "a message was longer than is taken";

// Beginnings of gRPC's texts, each of which says all there is to say.
constexpr Words kWhole[] = {
    {"Socket closed", kClosed},
    {"Transport closed", kClosed},
    {"Endpoint closing", kClosed},
    {"GOAWAY received", kClosed},
    {"Last stream closed after sending GOAWAY", kClosed},
    {"Stream removed", kDropped},
    {"Received RST_STREAM with error code", kDropped},
    {"Cancelling all calls", kStops},
    {"Server shutdown", kStops},
    {"connection attempt timed out", kSilentSide},
    {"Handshake timed out", kSilentSide},
    {"connect() timed out", kSilentMachine},
    {"keepalive watchdog timeout", "nothing was heard of the other side any more"},
    {"Deadline Exceeded", "no answer came in time"},
    {"DNS resolution failed for", kUnknownName},
    {"empty address list", kUnknownName},
    {"Received message larger than max", kTooLong},
    {"Sent message larger than max", kTooLong},
};
// Beginnings of texts that are gRPC's if they contain one of the causes.
constexpr const char* kBeginnings[] = {"recvmsg:", "sendmsg:", "ipv4:", "ipv6:", "unix:", "unix-abstract:"};
constexpr char kNotConnected[] = "failed to connect to all addresses";
constexpr Words kCauses[] = {
    {"Connection refused", kNoOneThere},
    {"No such file or directory", kNoOneThere},
    {"Connection reset by peer", "the other side reset the connection"},
    {"Broken pipe", kClosed},
    {"Socket closed", kClosed},
    {"Connection timed out", kSilentMachine},
    {"connect() timed out", kSilentMachine},
    {"Host is down", kSilentMachine},
    {"connection attempt timed out", kSilentSide},
    {"Handshake timed out", kSilentSide},
    {"No route to host", kNoWay},
    {"Network is unreachable", kNoWay},
};

bool NamesCause(const std::string& text) {
  for (const char* beginning : kBeginnings) {
    if (absl::StartsWith(text, beginning)) return true;
  }
  return absl::StartsWith(text, kNotConnected);
}

}  // namespace

std::string InWords(const std::string& text) {
  for (const Words& each : kWhole) {
    if (absl::StartsWith(text, each.grpc)) return each.people;
  }
  if (!NamesCause(text)) return text;
  for (const Words& each : kCauses) {
    if (absl::StrContains(text, each.grpc)) return each.people;
  }
  return absl::StartsWith(text, kNotConnected) ? "nobody answers there" : text;
}

absl::Status FromGrpc(const grpc::Status& status) {
  return {static_cast<absl::StatusCode>(status.error_code()), InWords(status.error_message())};
}

}  // namespace twinkle::rpc
