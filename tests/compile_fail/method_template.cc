// EXPECT: twinkle: the class has no one public method of this name: it is misspelt, private, overloaded or a template
#include <twinkle/twinkle.h>

class Giver {
 public:
  template <class T>
  T Give(T value) {
    return value;
  }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
