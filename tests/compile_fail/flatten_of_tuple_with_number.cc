// EXPECT: twinkle: Collect::kFlatten joins lists and tensors
#include <twinkle/twinkle.h>

#include <tuple>
#include <vector>

class Giver {
 public:
  std::tuple<std::vector<int>, int> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFlatten))

auto giver = twinkle::New<Giver>({});
