// FIRST: twinkle: what a method returns, what a Lazy holds and the items of a list are assigned when they come
#include <twinkle/twinkle.h>

#include <optional>
#include <string>
#include <vector>

struct Sent {
  const int number = 0;
  std::string text = {};
};

class Taker {
 public:
  std::vector<Sent> Take(int number);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take, twinkle::Dispatch::kAll, twinkle::Collect::kFlatten))

auto taker = twinkle::New<Taker>({});
