// EXPECT: twinkle: this type cannot be sent: it has a constructor, private members or virtual functions
#include <twinkle/twinkle.h>

struct Sent {
  int number = 0;

 private:
  int secret_ = 0;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
