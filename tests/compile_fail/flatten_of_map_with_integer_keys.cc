// EXPECT: twinkle: Collect::kFlatten joins lists and tensors
#include <twinkle/twinkle.h>

#include <map>
#include <vector>

class Giver {
 public:
  std::map<int, std::vector<int>> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFlatten))

auto giver = twinkle::New<Giver>({});
