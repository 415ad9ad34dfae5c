// EXPECT: twinkle: a struct that is sent needs members that {} can make
#include <twinkle/twinkle.h>

#include <string>

struct Sent {
  int number;
  const std::string& text;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
