// EXPECT: twinkle: Collect::kFlatten joins lists and tensors
#include <twinkle/twinkle.h>

#include <string>

class Giver {
 public:
  std::string Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFlatten))

auto giver = twinkle::New<Giver>({});
