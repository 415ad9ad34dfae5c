// FIRST: twinkle: New: std::nullopt does not say what it is none of
#include <twinkle/twinkle.h>

#include <optional>

class Taker {
 public:
  explicit Taker(std::optional<int> number);
  void Take();
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({}, std::nullopt);
