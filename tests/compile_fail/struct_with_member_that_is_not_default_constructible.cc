// EXPECT: twinkle: a struct that is sent needs members that {} can make
#include <twinkle/twinkle.h>

class Explicit {
 public:
  explicit Explicit(int number) : number_(number) {}
  int number() const { return number_; }

 private:
  int number_;
};

struct Sent {
  int number = 0;
  Explicit value;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
