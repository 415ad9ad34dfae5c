// EXPECT: twinkle: a pointer, reference or view means nothing in another process
#include <twinkle/twinkle.h>

struct Sent {
  int number = 0;
  const char* text = nullptr;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
