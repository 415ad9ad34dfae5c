#include "runtime/rpc/wire_words.h"

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

TEST_CASE("what is not gRPC's stays as it is") {
  for (const char* text : {"", "the database said: Connection refused", "ipv4:is a way to begin", "boom"}) {
    CHECK(InWords(text) == text);
  }
}

}  // namespace
}  // namespace twinkle::rpc
