// EXPECT: twinkle: New: the class has no constructor, and no static Create, that takes these arguments
#include <twinkle/twinkle.h>

class Thing {
 public:
  explicit Thing(int number) : number_(number) {}
  int Number() { return number_; }

 private:
  int number_;
};
TWINKLE_REMOTE_CLASS(Thing, (), (Number))

auto thing = twinkle::New<Thing>({}, 7, 8);
