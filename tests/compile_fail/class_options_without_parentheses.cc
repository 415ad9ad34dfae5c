// EXPECT: twinkle: the second argument of TWINKLE_REMOTE_CLASS is the class's options in parentheses
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(Giver, twinkle::Execute::kFirst, (Give))
