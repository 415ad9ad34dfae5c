// EXPECT: twinkle: this class is not remote: declare it with TWINKLE_REMOTE_CLASS, in its namespace
#include <twinkle/twinkle.h>

namespace inside {
class Thing {
 public:
  void Nothing() {}
};
}  // namespace inside
using inside::Thing;
TWINKLE_REMOTE_CLASS(Thing, (), (Nothing))

auto thing = twinkle::New<inside::Thing>({});
