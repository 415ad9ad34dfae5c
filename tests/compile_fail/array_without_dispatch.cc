// EXPECT: twinkle: a parameter of this remote method is a list: say how it is dispatched
#include <twinkle/twinkle.h>

class Taker {
 public:
  void Take(twinkle::Array<float> array);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
