// EXPECT: twinkle: a remote method cannot be named component or Rank
#include <twinkle/twinkle.h>

class Taker {
 public:
  void component() {}
};
TWINKLE_REMOTE_CLASS(Taker, (), (component))
