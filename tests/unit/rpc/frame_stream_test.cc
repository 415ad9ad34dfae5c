#include "runtime/rpc/frame_stream.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/memory.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::rpc {
namespace {

codec::Buffer BufferOf(const std::string& text) {
  auto kept = std::make_shared<const std::string>(text);
  return {reinterpret_cast<const std::byte*>(kept->data()), kept->size(), kept};
}

std::string BytesOf(const Frame& frame) {
  std::string bytes = FramePrefix(frame) + frame.head;
  for (const auto& buffer : frame.buffers) bytes.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
  return bytes;
}

std::vector<std::string> TextsOf(const std::vector<Frame>& frames) {
  std::vector<std::string> texts;
  for (const Frame& frame : frames) texts.push_back(BytesOf(frame));
  return texts;
}

std::vector<Frame> SomeFrames() {
  std::vector<Frame> frames;
  frames.push_back({"", {}});
  frames.push_back({"a head", {}});
  frames.push_back({"", {BufferOf("one"), BufferOf(""), BufferOf(std::string(10000, 'x'))}});
  frames.push_back({std::string(3000, 'h'), {BufferOf("")}});
  return frames;
}

TEST_CASE("frames come out as they went in, wherever the bytes are cut") {
  const std::vector<Frame> frames = SomeFrames();
  std::string bytes;
  for (const Frame& frame : frames) bytes += BytesOf(frame);
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  for (int round = 0; round < 200; ++round) {
    FrameReader reader;
    std::vector<Frame> read;
    for (size_t at = 0; at < bytes.size();) {
      const size_t size = std::min<size_t>(bytes.size() - at, round == 0 ? 1 : random() % 5000);
      REQUIRE(reader.Read(std::string_view(bytes).substr(at, size), &read).ok());
      at += size;
    }
    CHECK(TextsOf(read) == TextsOf(frames));
  }
}

TEST_CASE("buffers are aligned for any element") {
  FrameReader reader;
  std::vector<Frame> read;
  REQUIRE(reader.Read(BytesOf({"odd", {BufferOf("x"), BufferOf("yz")}}), &read).ok());
  for (const codec::Buffer& buffer : read.at(0).buffers) {
    CHECK(reinterpret_cast<uintptr_t>(buffer.data) % 64 == 0);
  }
}

TEST_CASE("sizes beyond the limits are refused before memory is taken") {
  const FrameLimits limits{.buffers = 2, .head_bytes = 100, .total_bytes = 1000};
  const auto refused = [&](const std::string& bytes) {
    FrameReader reader(limits);
    std::vector<Frame> read;
    return absl::IsInvalidArgument(reader.Read(bytes, &read));
  };
  CHECK(refused(FramePrefix({std::string(101, 'h'), {}})));
  CHECK(refused(FramePrefix({"", {BufferOf("a"), BufferOf("b"), BufferOf("c")}})));
  Frame lies{"", {BufferOf("a"), BufferOf("b")}};
  lies.buffers[0].size = 600;
  lies.buffers[1].size = 600;
  CHECK(refused(FramePrefix(lies)));
  lies.buffers[1].size = ~size_t{0};
  CHECK(refused(FramePrefix(lies)));
  CHECK_FALSE(refused(FramePrefix({std::string(100, 'h'), {}})));
}

// Gives address space without end, and memory up to `most` bytes.
struct Scarce final : base::MemorySource {
  std::shared_ptr<std::byte> Allocate(size_t, bool) override { return nullptr; }
  std::shared_ptr<std::byte> Reserve(size_t bytes) override { return base::NewHeapMemory(bytes, false); }
  bool Reach(const std::byte*, size_t end) override {
    reached = end;
    return end <= most;
  }
  size_t most = SIZE_MAX;
  size_t reached = 0;
};

TEST_CASE("a buffer that is announced takes memory as its bytes come") {
  const auto source = std::make_shared<Scarce>();
  base::SetMemorySource(source);
  Frame lies{"", {BufferOf("a")}};
  lies.buffers[0].size = size_t{1} << 28;
  FrameReader reader;
  std::vector<Frame> read;
  REQUIRE(reader.Read(FramePrefix(lies), &read).ok());
  CHECK(source->reached == 0);
  const std::string some(1 << 20, 'x');
  for (size_t came = some.size(); came <= 8 * some.size(); came += some.size()) {
    REQUIRE(reader.Read(some, &read).ok());
    CHECK(source->reached >= came);
    CHECK(source->reached < came + (size_t{8} << 20));
  }
  base::SetMemorySource({});
}

TEST_CASE("a buffer for which there is no memory left is missing, and the stream goes on") {
  const auto source = std::make_shared<Scarce>();
  source->most = size_t{4} << 20;
  base::SetMemorySource(source);
  Frame large{"head", {BufferOf("before"), BufferOf(std::string(size_t{9} << 20, 'x')), BufferOf("after")}};
  std::string bytes = BytesOf(large) + BytesOf({"next", {}});
  FrameReader reader;
  std::vector<Frame> read;
  for (size_t at = 0; at < bytes.size(); at += 1 << 20) {
    REQUIRE(reader.Read(std::string_view(bytes).substr(at, 1 << 20), &read).ok());
  }
  base::SetMemorySource({});
  REQUIRE(read.size() == 2);
  CHECK(read[0].head == "head");
  CHECK(read[0].buffers.at(1).size == size_t{9} << 20);
  CHECK(codec::CheckThere(read[0].buffers[1]) ==
        absl::ResourceExhaustedError("there is no memory for a value of 9.0 MiB that comes here"));
  CHECK(std::memcmp(read[0].buffers.at(2).data, "after", 5) == 0);
  CHECK(read[1].head == "next");
}

}  // namespace
}  // namespace twinkle::rpc
