// A value of every kind, from bytes; the first says how many of the others are the head, the rest is one buffer.
#include <utility>

#include "runtime/codec/codec.h"
#include "tests/fuzz/target.h"
#include "tests/unit/codec/values.h"

namespace twinkle {
namespace {

constexpr codec::Limits kLimits{.depth = 64, .bytes = size_t{16} << 20};

std::string Input(const codec::Encoded& encoded) {
  const uint16_t head = static_cast<uint16_t>(encoded.head.size());
  std::string input(reinterpret_cast<const char*>(&head), sizeof(head));
  input += encoded.head;
  for (const codec::Buffer& buffer : encoded.buffers) {
    input.append(reinterpret_cast<const char*>(buffer.data), buffer.size);
  }
  return input;
}

template <class T>
void Try(std::string_view head, const std::vector<codec::Buffer>& buffers) {
  const absl::StatusOr<T> value = codec::DecodeAs<T>(head, buffers, kLimits);
  if (!value.ok()) return;
  const codec::Described described = codec::Hold(*value);
  codec::Encode(described).IgnoreError();
  codec::RowsOf(*described.type, described.value.get());
}

}  // namespace

std::vector<std::string> fuzz::Seeds() {
  const std::vector<float> floats(100, 1);
  return {Input(*codec::Encode(codec::Hold(codec::MakeEverything()), nullptr, SIZE_MAX)),
          Input(*codec::Encode(codec::Hold(Array<float>(floats)), nullptr, 64)),
          Input(*codec::Encode(codec::Hold(*Tensor::FromVector(floats)), nullptr, 64)),
          Input(*codec::Encode(codec::Hold(Bytes(std::string(100, 'x'))), nullptr, 64))};
}

}  // namespace twinkle

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twinkle;  // NOLINT: a function of C
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view head = all.substr(2, data[0] | data[1] << 8);
  const auto rest = std::make_shared<const std::string>(all.substr(2 + head.size()));
  std::vector<codec::Buffer> buffers;
  if (!rest->empty()) buffers.push_back({reinterpret_cast<const std::byte*>(rest->data()), rest->size(), rest});
  Try<codec::Everything>(head, buffers);
  Try<Value>(head, buffers);
  Try<Array<float>>(head, buffers);
  Try<Array<codec::Point>>(head, buffers);
  Try<Tensor>(head, buffers);
  Try<Bytes>(head, buffers);
  return 0;
}
