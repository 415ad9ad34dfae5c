// EXPECT: twinkle: Collect::kFlatten joins lists and tensors
#include <twinkle/twinkle.h>

#include <map>
#include <string>

class Giver {
 public:
  std::map<std::string, int> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFlatten))

auto giver = twinkle::New<Giver>({});
