// FIRST: twinkle: a method stands twice in this TWINKLE_REMOTE_CLASS
#include <twinkle/twinkle.h>

class Adder {
 public:
  int Add(int number, const std::string& name);
};
TWINKLE_REMOTE_CLASS(Adder, (), (Add), (Add, twinkle::Sync{true}))
