// FIRST: twinkle: New: what stands in braces does not say what it is
#include <twinkle/twinkle.h>

#include <vector>

class Taker {
 public:
  Taker(int size, const std::vector<int>& numbers);
  void Take();
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({}, 3, {1, 2});
