// EXPECT: twinkle: a Lazy or Remote may be a whole argument, not a part of a value
#include <twinkle/twinkle.h>

struct Sent {
  twinkle::Lazy<int> number;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
