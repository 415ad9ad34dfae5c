// EXPECT: twinkle: a parameter of this remote method has rows
#include <twinkle/twinkle.h>

#include <map>
#include <string>
#include <vector>

struct Inner {
  std::map<std::string, std::vector<int>> named;
};
struct Batch {
  int number = 0;
  Inner inner;
};
class Taker {
 public:
  void Take(const Batch& batch);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
