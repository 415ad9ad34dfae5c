// EXPECT: twinkle: a pointer, reference or view means nothing in another process
#include <twinkle/twinkle.h>

class Giver {
 public:
  const char* Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFirst))

auto giver = twinkle::New<Giver>({});
