// EXPECT: twinkle: a parameter of this remote method has rows
#include <twinkle/twinkle.h>

#include <variant>

class Taker {
 public:
  void Take(const std::variant<int, twinkle::Tensor>& either);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
