// EXPECT: twinkle: a remote method is R F(A...), const or not
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give(int count, ...) { return count; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
