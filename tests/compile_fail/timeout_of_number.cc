// EXPECT: twinkle: a Timeout of a bare number does not say of what
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Timeout{30}))
