// The numbers in memory that a neighbour writes.
#include <cstring>

#include "runtime/rpc/near/ring_pair.h"
#include "tests/fuzz/target.h"

namespace twinkle {
namespace {

struct Numbers {
  uint64_t written[2] = {};
  uint64_t read[2] = {};
};

}  // namespace

std::vector<std::string> fuzz::Seeds() {
  Numbers numbers;
  numbers.written[0] = 100;
  numbers.written[1] = 7;
  return {std::string(reinterpret_cast<const char*>(&numbers), sizeof(numbers))};
}

}  // namespace twinkle

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twinkle;  // NOLINT: a function of C
  static const rpc::RingBlock mine = *rpc::RingBlock::Make("mine");
  static const rpc::RingBlock theirs = *rpc::RingBlock::Make("theirs");
  Numbers numbers;
  if (size < sizeof(numbers)) return 0;
  std::memcpy(&numbers, data, sizeof(numbers));
  for (const rpc::Stream stream : {rpc::Stream::kData, rpc::Stream::kControl}) {
    const size_t which = stream == rpc::Stream::kData ? 0 : 1;
    theirs.writing(stream).written = numbers.written[which];
    theirs.reading(stream).read = numbers.read[which];
    rpc::RingReader reader(&mine, &theirs, stream);
    size_t sum = 0;
    while (true) {
      const auto there = reader.Peek();
      if (!there.ok() || there->empty()) break;
      for (char byte : *there) sum += static_cast<unsigned char>(byte);
      reader.Consume(there->size());
    }
    rpc::RingWriter writer(&mine, &theirs, stream);
    writer.Write(std::string_view(reinterpret_cast<const char*>(data), size));
    writer.Publish();
    if (sum == SIZE_MAX) return 1;
  }
  return 0;
}
