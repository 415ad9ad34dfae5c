// EXPECT: twinkle: Collect::kFlatten joins lists and tensors
// EXPECT: this result
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFlatten))

auto giver = twinkle::New<Giver>({});
