// EXPECT: twinkle: Collect::kMeanEach averages float, double, tensors, and lists, string-keyed maps and structs of them: this member
#include <twinkle/twinkle.h>

struct Mixed {
  double number = 0;
  int count = 0;
};
class Giver {
 public:
  Mixed Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kMeanEach))
