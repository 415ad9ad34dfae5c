// EXPECT: twinkle: Collect::kSumEach adds numbers, tensors, and lists, string-keyed maps and structs of them: this member
#include <twinkle/twinkle.h>

#include <string>

struct Mixed {
  double number = 0;
  std::string text;
};
class Giver {
 public:
  Mixed Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kSumEach))
