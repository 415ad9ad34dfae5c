// EXPECT: twinkle: Collect::kMean of a map needs values that are numbers, lists or tensors
#include <twinkle/twinkle.h>

#include <map>
#include <string>

class Giver {
 public:
  std::map<std::string, std::string> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kMean))

auto giver = twinkle::New<Giver>({});
