// FIRST: twinkle: an argument of this remote call is not what the method takes there
#include <twinkle/twinkle.h>

class Adder {
 public:
  int Add(int number, const std::string& name);
};
TWINKLE_REMOTE_CLASS(Adder, (), (Add))

void Call(const twinkle::Remote<Adder>& adder) { adder.Add("one", "two"); }
