// FIRST: twinkle: Put keeps a value; a Lazy or Remote is a reference already
#include <twinkle/twinkle.h>

class Thing {
 public:
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(Thing, (), (Nothing))

auto put = twinkle::Put(*twinkle::New<Thing>({}));
