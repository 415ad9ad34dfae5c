// EXPECT: twinkle: a Lazy or Remote may be a whole argument, not a part of a value
#include <twinkle/twinkle.h>

#include <optional>

class Other {
 public:
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(Other, (), (Nothing))

class Taker {
 public:
  void Take(const std::optional<twinkle::Remote<Other>>& other);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
