// EXPECT: twinkle: the options of a remote class are Execute and MaxConcurrency{n}
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give();
};
TWINKLE_REMOTE_CLASS(Giver, (twinkle::Sync{true}), (Give))

auto giver = twinkle::New<Giver>({});
