// EXPECT: twinkle: Collect::kMeanEach and kSumEach need numbers, tensors, or lists, string-keyed maps and structs of them
#include <twinkle/twinkle.h>

#include <string>

class Giver {
 public:
  std::string Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::Collect::kMeanEach))
