// EXPECT: twinkle: Dispatch::kSliceDp splits lists that are std::vector or Array
#include <twinkle/twinkle.h>

#include <deque>

class Taker {
 public:
  void Take(const std::deque<int>& numbers);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take, twinkle::Dispatch::kSliceDp))

auto taker = twinkle::New<Taker>({});
