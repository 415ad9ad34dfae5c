// FIRST: twinkle: this remote call has more or fewer arguments than the method has parameters
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

void Call(const twinkle::Remote<Taker>& taker) { taker.Take({1, "x"}, 3, 4); }
