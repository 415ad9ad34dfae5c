// EXPECT: twinkle: Collect::kMean needs numbers, lists or tensors
#include <twinkle/twinkle.h>

#include <string>
#include <vector>

class Giver {
 public:
  std::vector<std::string> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kMean))

auto giver = twinkle::New<Giver>({});
