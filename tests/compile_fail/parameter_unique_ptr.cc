// EXPECT: twinkle: this type cannot be sent: it has a constructor, private members or virtual functions
#include <twinkle/twinkle.h>

#include <memory>

class Taker {
 public:
  void Take(std::unique_ptr<int> number);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
