// EXPECT: twinkle: this type cannot be sent: it has a constructor, private members or virtual functions
#include <twinkle/twinkle.h>

#include <functional>

class Taker {
 public:
  void Take(const std::function<void()>& function);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
