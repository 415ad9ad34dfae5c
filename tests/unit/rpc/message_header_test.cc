#include "runtime/rpc/grpc/message_header.h"

#include <string>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("a header is read as it was written, with any of its parts") {
  for (int parts = 0; parts < 16; ++parts) {
    MessageHeader header;
    header.compressed = (parts & 1) != 0;
    if ((parts & 2) != 0) header.acknowledged = 7;
    if ((parts & 4) != 0) header.first = uint64_t{1} << 40;
    if ((parts & 8) != 0) header.life = ~uint64_t{0};
    const std::string bytes = header.Encode() + "frames";
    size_t used = 0;
    const auto read = MessageHeader::Decode(bytes, &used);
    REQUIRE(read.ok());
    CHECK(bytes.substr(used) == "frames");
    CHECK(read->compressed == header.compressed);
    CHECK(read->acknowledged == header.acknowledged);
    CHECK(read->first == header.first);
    CHECK(read->life == header.life);
  }
}

TEST_CASE("what is no header is refused") {
  size_t used = 0;
  CHECK(absl::IsInvalidArgument(MessageHeader::Decode("", &used).status()));
  CHECK(absl::IsInvalidArgument(MessageHeader::Decode("\x10", &used).status()));
  CHECK(absl::IsInvalidArgument(MessageHeader::Decode("\x02short", &used).status()));
}

}  // namespace
}  // namespace twinkle::rpc
