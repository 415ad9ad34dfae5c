// FIRST: twinkle: this remote call has more or fewer arguments than the method has parameters
#include <twinkle/twinkle.h>

class Adder {
 public:
  int Add(int number, const std::string& name);
};
TWINKLE_REMOTE_CLASS(Adder, (), (Add))

void Call(const twinkle::Remote<Adder>& adder) { adder.Rank(0).Add(1, "two", 3); }
