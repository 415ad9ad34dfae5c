// EXPECT: twinkle: Collect::kFlatten joins lists and tensors
// EXPECT: this member of the result
// EXPECT: FlattenMember<Result, std::
#include <twinkle/twinkle.h>

#include <string>
#include <vector>

struct Result {
  std::vector<int> list;
  std::string name;
};

class Giver {
 public:
  Result Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFlatten))

auto giver = twinkle::New<Giver>({});
