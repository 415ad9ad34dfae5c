// EXPECT: twinkle: a remote method is R F(A...), const or not
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give() && { return 1; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
