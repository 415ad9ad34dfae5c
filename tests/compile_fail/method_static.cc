// EXPECT: twinkle: a remote method runs on an object, and this one is static
#include <twinkle/twinkle.h>

class Giver {
 public:
  static int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
