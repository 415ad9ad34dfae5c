// EXPECT: twinkle: a Lazy or Remote may be a whole argument, not a part of a value
#include <twinkle/twinkle.h>

class Giver {
 public:
  twinkle::Lazy<int> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
