// EXPECT: twinkle: a remote method takes its parameters by value or by const reference
#include <twinkle/twinkle.h>

#include <string>

class Taker {
 public:
  void Take(std::string& text);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
