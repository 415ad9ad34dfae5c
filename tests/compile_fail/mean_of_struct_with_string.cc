// EXPECT: twinkle: Collect::kMean of a struct needs members that are
// EXPECT: FloatMember<Result, std::
#include <twinkle/twinkle.h>

#include <string>

struct Result {
  double loss = 0;
  std::string name;
};

class Giver {
 public:
  Result Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kMean))

auto giver = twinkle::New<Giver>({});
