// EXPECT: twinkle: the options of a remote method are Dispatch, Execute, Collect
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::MaxConcurrency{3}))

auto giver = twinkle::New<Giver>({});
