// EXPECT: twinkle: this type cannot be sent: it has a constructor, private members or virtual functions
#include <twinkle/twinkle.h>

union Sent {
  int number;
  float more;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
