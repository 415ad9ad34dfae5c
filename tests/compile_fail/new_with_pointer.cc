// EXPECT: twinkle: a pointer, reference or view means nothing in another process
#include <twinkle/twinkle.h>

class Thing {
 public:
  explicit Thing(const int*) {}
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(Thing, (), (Nothing))

auto thing = twinkle::New<Thing>({}, static_cast<const int*>(nullptr));
