// EXPECT: twinkle: this class is not remote: declare it with TWINKLE_REMOTE_CLASS, in its namespace
#include <twinkle/twinkle.h>

class Thing {
 public:
  void Nothing() {}
};

auto thing = twinkle::New<Thing>({});
