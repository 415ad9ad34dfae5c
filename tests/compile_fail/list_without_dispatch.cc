// EXPECT: twinkle: a parameter of this remote method is a list: say how it is dispatched
#include <twinkle/twinkle.h>

#include <vector>

class Taker {
 public:
  void Take(const std::vector<int>& list);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
