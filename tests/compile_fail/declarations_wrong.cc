// EXPECT: twinkle: TWINKLE_REMOTE_CLASS wants the class, its options in parentheses
// EXPECT: twinkle: each method of TWINKLE_REMOTE_CLASS stands in parentheses with its options
// EXPECT: twinkle: a Timeout is of one of std::chrono's whole durations
// EXPECT: twinkle: the Timeout of this remote method is not above zero
// EXPECT: twinkle: Pad{value} belongs to Collect::kFlatten or kFlattenDp
#include <twinkle/twinkle.h>

struct NoMethods {};
TWINKLE_REMOTE_CLASS(NoMethods, ())

struct Bare {
  int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(Bare, (), Give)

struct OfAbseil {
  int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(OfAbseil, (), (Give, twinkle::Timeout{absl::Seconds(30)}))

struct Late {
  int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(Late, (), (Give, twinkle::Timeout{std::chrono::seconds(-3)}))

struct Padded {
  int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(Padded, (), (Give, twinkle::Pad{0}))

auto late = twinkle::New<Late>({});
auto padded = twinkle::New<Padded>({});
