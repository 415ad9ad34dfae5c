// FIRST: twinkle: what stands in braces in this remote call makes no value of its parameter's type
#include <twinkle/twinkle.h>

#include <string>

struct Sent {
  int number = 0;
  std::string text = {};
};

class Taker {
 public:
  void Take(const Sent& sent, int count);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

void Call(const twinkle::Remote<Taker>& taker) { taker.Take({{1, 2}, "x"}, 3); }
