// EXPECT: twinkle: a parameter of this remote method is a deque or a list
#include <twinkle/twinkle.h>

#include <deque>

class Taker {
 public:
  void Take(const std::deque<int>& numbers);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
