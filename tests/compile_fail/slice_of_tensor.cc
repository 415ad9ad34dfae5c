// EXPECT: twinkle: Dispatch::kSlice splits lists (std::vector, Array), and a parameter of this remote method has rows without being one
#include <twinkle/twinkle.h>

class Taker {
 public:
  void Take(const twinkle::Tensor& tensor);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take, twinkle::Dispatch::kSlice))

auto taker = twinkle::New<Taker>({});
