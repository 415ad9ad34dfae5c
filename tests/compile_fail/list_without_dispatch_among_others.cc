// EXPECT: twinkle: a parameter of this remote method is a list: say how it is dispatched
#include <twinkle/twinkle.h>

#include <string>
#include <vector>

class Taker {
 public:
  void Take(int number, const std::string& text, std::vector<std::string> list);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
