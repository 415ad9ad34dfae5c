// EXPECT: twinkle: the class has no one public method of this name: it is misspelt, private, overloaded or a template
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give() { return 1; }
  int Give(int number) { return number; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
