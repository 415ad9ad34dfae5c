// EXPECT: twinkle: a pointer or view as a parameter means nothing in another process
#include <twinkle/twinkle.h>

#include <span>

class Taker {
 public:
  void Take(std::span<const int> numbers);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
