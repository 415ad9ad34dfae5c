// EXPECT: twinkle: MaxConcurrency needs at least 1
#include <twinkle/twinkle.h>

class Thing {
 public:
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(Thing, (twinkle::MaxConcurrency{0}), (Nothing))

auto thing = twinkle::New<Thing>({});
