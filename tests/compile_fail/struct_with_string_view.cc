// EXPECT: twinkle: a pointer, reference or view means nothing in another process
#include <twinkle/twinkle.h>

#include <string_view>

struct Sent {
  std::string_view text;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
