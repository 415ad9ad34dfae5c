// EXPECT: twinkle: this is a data member, and remote are methods only
#include <twinkle/twinkle.h>

class Giver {
 public:
  int give = 1;
};
TWINKLE_REMOTE_CLASS(Giver, (), (give))

auto giver = twinkle::New<Giver>({});
