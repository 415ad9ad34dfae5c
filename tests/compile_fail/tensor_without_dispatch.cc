// EXPECT: twinkle: a parameter of this remote method has rows
#include <twinkle/twinkle.h>

class Taker {
 public:
  void Take(const twinkle::Tensor& tensor);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
