// A stream of frames, cut in two where the first bytes say.
#include <memory>
#include <string_view>

#include "runtime/rpc/frame_stream.h"
#include "tests/fuzz/target.h"

namespace twinkle {

std::vector<std::string> fuzz::Seeds() {
  const auto text = std::make_shared<const std::string>(100, 'x');
  const codec::Buffer buffer{reinterpret_cast<const std::byte*>(text->data()), text->size(), text};
  const rpc::Frame frames[] = {{"", {}}, {"a head", {}}, {"head", {buffer, buffer}}};
  std::string stream(2, '\x20');
  for (const rpc::Frame& frame : frames) {
    stream += rpc::FramePrefix(frame) + frame.head;
    for (size_t i = 0; i < frame.buffers.size(); ++i) stream += *text;
  }
  return {stream};
}

}  // namespace twinkle

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twinkle;  // NOLINT: a function of C
  if (size < 2) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t cut = stream.empty() ? 0 : (data[0] | data[1] << 8) % stream.size();
  rpc::FrameReader reader({.total_bytes = 1 << 20});
  std::vector<rpc::Frame> frames;
  if (!reader.Read(stream.substr(0, cut), &frames).ok()) return 0;
  reader.Read(stream.substr(cut), &frames).IgnoreError();
  size_t bytes = 0;
  for (const rpc::Frame& frame : frames) bytes += frame.bytes();
  if (bytes > size) __builtin_trap();  // nothing comes out that did not go in
  return 0;
}
