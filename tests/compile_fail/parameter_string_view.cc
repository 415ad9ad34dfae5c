// EXPECT: twinkle: a pointer or view as a parameter means nothing in another process
#include <twinkle/twinkle.h>

#include <string_view>

class Taker {
 public:
  void Take(std::string_view text);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
