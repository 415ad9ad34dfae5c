// EXPECT: twinkle: the class has no one public method of this name: it is misspelt, private, overloaded or a template
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give() { return 1; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Gvie))

auto giver = twinkle::New<Giver>({});
