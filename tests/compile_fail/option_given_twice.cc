// EXPECT: twinkle: an option of this remote method is given twice
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kFirst, twinkle::Collect::kSum))

auto giver = twinkle::New<Giver>({});
