// EXPECT: twinkle: Collect::kMean of a struct needs members that are float or double
// EXPECT: FloatMember<Result, int>
#include <twinkle/twinkle.h>

struct Result {
  double loss = 0;
  int rows = 0;
};

class Giver {
 public:
  Result Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kMean))

auto giver = twinkle::New<Giver>({});
