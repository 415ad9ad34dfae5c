// EXPECT: twinkle: a pointer, reference or view means nothing in another process
#include <twinkle/twinkle.h>

#include <string_view>

class Giver {
 public:
  std::string_view Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
