// EXPECT: twinkle: Collect::kFlatten joins lists and tensors
// EXPECT: FlattenMember<Result, float>
#include <twinkle/twinkle.h>

#include <vector>

struct Result {
  std::vector<int> list;
  float loss = 0;
};

class Giver {
 public:
  Result Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFlattenDp))

auto giver = twinkle::New<Giver>({});
