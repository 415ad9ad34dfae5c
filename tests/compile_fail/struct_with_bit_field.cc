// FIRST: twinkle: a struct that is sent has no bit-fields
#include <twinkle/twinkle.h>

#include <string>

struct Flags {
  std::string name;
  int level = 0;
  bool fast : 1;
};
class Taker {
 public:
  void Take(const Flags& flags);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
