// EXPECT: twinkle: a pointer or view as a parameter means nothing in another process
#include <twinkle/twinkle.h>

class Taker {
 public:
  void Take(const int* number);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
