// FIRST: that takes these arguments (a private one does not count)
#include <twinkle/twinkle.h>

class Closed {
 public:
  void Nothing() {}

 private:
  Closed() = default;
};
TWINKLE_REMOTE_CLASS(Closed, (), (Nothing))

auto closed = twinkle::New<Closed>({});
