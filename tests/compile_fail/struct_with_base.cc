// EXPECT: twinkle: a struct with a base class needs: template <class Archive> void serialize(Archive& archive)
#include <twinkle/twinkle.h>

struct Base {
  int number = 0;
};
struct Sent : Base {
  float more = 0;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
