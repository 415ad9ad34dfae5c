#include "runtime/weights/copy.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace twinkle::weights {
namespace {

constexpr int64_t kTile = 32;  // elements each way: both sides of a tile stay in the first cache

// Elements that are copied as they are.
template <size_t size>
struct Same {
  static constexpr int64_t kFrom = size;
  static constexpr int64_t kTo = size;
  static constexpr bool kPlain = true;
  static void One(const std::byte* from, std::byte* to) { std::memcpy(to, from, size); }
};

// float32 to the nearest bfloat16, ties to even.
struct Rounded {
  static constexpr int64_t kFrom = 4;
  static constexpr int64_t kTo = 2;
  static constexpr bool kPlain = false;
  static void One(const std::byte* from, std::byte* to) {
    uint32_t bits = 0;
    std::memcpy(&bits, from, sizeof(bits));
    const uint32_t nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    const uint32_t nan = (bits >> 16) | 0x40;  // rounding could make it infinite
    const bool is_nan = (bits & 0x7fffffff) > 0x7f800000;
    const auto narrow = static_cast<uint16_t>(is_nan ? nan : nearest);
    std::memcpy(to, &narrow, sizeof(narrow));
  }
};

template <class E>
void CopyRow(const Step& row, const std::byte* from, std::byte* to) {
  if (row.from != 1 || row.to != 1) {
    for (int64_t i = 0; i < row.count; ++i) E::One(from + i * row.from * E::kFrom, to + i * row.to * E::kTo);
  } else if constexpr (E::kPlain) {
    std::memcpy(to, from, static_cast<size_t>(row.count * E::kFrom));
  } else {
    for (int64_t i = 0; i < row.count; ++i) E::One(from + i * E::kFrom, to + i * E::kTo);
  }
}

// Two dimensions, of which the first is contiguous on the source's side and the second on the receiver's.
template <class E>
void CopyTiles(const Step& first, const Step& second, const std::byte* from, std::byte* to) {
  for (int64_t i = 0; i < first.count; i += kTile) {
    for (int64_t j = 0; j < second.count; j += kTile) {
      const Step row{std::min(kTile, second.count - j), second.from, second.to};
      for (int64_t k = i; k < std::min(i + kTile, first.count); ++k) {
        CopyRow<E>(row, from + (k * first.from + j * second.from) * E::kFrom,
                   to + (k * first.to + j * second.to) * E::kTo);
      }
    }
  }
}

template <class E>
void CopySteps(const Step* step, const Step* end, bool tiled, const std::byte* from, std::byte* to) {
  if (step == end) {
    E::One(from, to);
  } else if (step + 1 == end) {
    CopyRow<E>(*step, from, to);
  } else if (tiled && step + 2 == end) {
    CopyTiles<E>(step[0], step[1], from, to);
  } else {
    for (int64_t i = 0; i < step->count; ++i)
      CopySteps<E>(step + 1, end, tiled, from + i * step->from * E::kFrom, to + i * step->to * E::kTo);
  }
}

template <class E>
void CopyAs(const Move& move, const std::byte* from, std::byte* to) {
  std::vector<Step> steps = move.steps;
  bool tiled = false;
  if (steps.size() > 1 && steps.back().from != 1) {
    // The order of the outer ones does not matter: the one that is contiguous at the source comes next to the last.
    const auto contiguous =
        std::find_if(steps.begin(), steps.end() - 1, [](const Step& step) { return step.from == 1; });
    tiled = contiguous != steps.end() - 1;
    if (tiled) std::rotate(contiguous, contiguous + 1, steps.end() - 1);
  }
  const Step* first = steps.data();
  CopySteps<E>(first, first + steps.size(), tiled, from + move.from * E::kFrom, to + move.to * E::kTo);
}

}  // namespace

bool CanCast(DType from, DType to) { return from == to || (from == DType::kFloat32 && to == DType::kBFloat16); }

void Copy(const Move& move, DType from_type, const std::byte* from, DType to_type, std::byte* to) {
  if (from_type != to_type) {
    CopyAs<Rounded>(move, from, to);
    return;
  }
  switch (SizeOf(from_type)) {
    case 1:
      CopyAs<Same<1>>(move, from, to);
      break;
    case 2:
      CopyAs<Same<2>>(move, from, to);
      break;
    case 4:
      CopyAs<Same<4>>(move, from, to);
      break;
    case 8:
      CopyAs<Same<8>>(move, from, to);
      break;
    default:
      CopyAs<Same<16>>(move, from, to);
  }
}

}  // namespace twinkle::weights
