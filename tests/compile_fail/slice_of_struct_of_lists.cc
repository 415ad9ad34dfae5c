// EXPECT: twinkle: Dispatch::kSlice splits lists (std::vector, Array), and a parameter of this remote method has rows without being one
#include <twinkle/twinkle.h>

#include <vector>

struct Batch {
  std::vector<int> numbers;
};
class Taker {
 public:
  void Take(const std::vector<int>& list, const Batch& batch);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take, twinkle::Dispatch::kSlice))

auto taker = twinkle::New<Taker>({});
