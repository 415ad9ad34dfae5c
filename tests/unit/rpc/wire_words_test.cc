#include "runtime/rpc/wire_words.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("what gRPC says of a connection is said in words, without addresses") {
  CHECK(InWords("failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:32985: Failed to connect to "
                "remote host: Connection refused") == "nobody listens there: the connection was refused");
  CHECK(InWords("ipv4:127.0.0.1:1: Connection timed out") == "the other machine is silent");
  CHECK(InWords("recvmsg:Connection reset by peer") == "the other side reset the connection");
  CHECK(InWords("Socket closed") == "the other side closed the connection");
}

// What it says of a connection that could not be made.
std::string NotConnected(const std::string& last) {
  return "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:32985: " + last;
}

TEST_CASE("each thing that gRPC says has its words") {
  const std::string closed = "the other side closed the connection";
  const std::string dropped = "the other side dropped the call";
  const std::vector<std::pair<std::string, std::string>> all = {
      {NotConnected("Failed to connect to remote host: Connection refused"),
       "nobody listens there: the connection was refused"},
      {NotConnected("Failed to connect to remote host: No such file or directory"),
       "nobody listens there: the connection was refused"},
      {NotConnected("Failed to connect to remote host: No route to host"),
       "the network has no way to the other machine"},
      {NotConnected("Failed to connect to remote host: Network is unreachable"),
       "the network has no way to the other machine"},
      {NotConnected("Failed to connect to remote host: Host is down"), "the other machine is silent"},
      {NotConnected("connect() timed out"), "the other machine is silent"},
      {NotConnected("Handshake timed out"), "the other side is silent"},
      {NotConnected("connection attempt timed out before receiving SETTINGS frame"), "the other side is silent"},
      {NotConnected("recvmsg:Connection reset by peer"), "the other side reset the connection"},
      {NotConnected("Socket closed"), closed},
      {NotConnected("something new"), "nobody answers there"},
      {"connection attempt timed out before receiving SETTINGS frame", "the other side is silent"},
      {"recvmsg:Connection timed out", "the other machine is silent"},
      {"sendmsg:Broken pipe", closed},
      {"Socket closed", closed},
      {"Transport closed", closed},
      {"Endpoint closing", closed},
      {"GOAWAY received", closed},
      {"Last stream closed after sending GOAWAY", closed},
      {"Stream removed", dropped},
      {"Received RST_STREAM with error code 2", dropped},
      {"Cancelling all calls", "the other side stops"},
      {"Server shutdown", "the other side stops"},
      {"keepalive watchdog timeout", "nothing was heard of the other side any more"},
      {"Deadline Exceeded", "no answer came in time"},
      {"DNS resolution failed for gpu-1:7077: C-ares status is not ARES_SUCCESS", "no machine of that name is known"},
      {"empty address list: ", "no machine of that name is known"},
      {"Received message larger than max (5 vs. 4)", "a message was longer than is taken"},
      {"Sent message larger than max (5 vs. 4)", "a message was longer than is taken"}};
  for (const auto& [grpc, words] : all) CHECK(InWords(grpc) == words);
}

TEST_CASE("the status of a call keeps its code, and has words") {
  CHECK(FromGrpc({grpc::StatusCode::UNAVAILABLE, "Socket closed"}) ==
        absl::UnavailableError("the other side closed the connection"));
  CHECK(FromGrpc({grpc::StatusCode::NOT_FOUND, "there is no job 7"}) == absl::NotFoundError("there is no job 7"));
  CHECK(FromGrpc(grpc::Status::OK).ok());
}

TEST_CASE("what is not gRPC's stays as it is") {
  for (const char* text : {"", "the database said: Connection refused", "ipv4:is a way to begin", "boom"}) {
    CHECK(InWords(text) == text);
  }
}

}  // namespace
}  // namespace twinkle::rpc
