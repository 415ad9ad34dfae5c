// FIRST: twinkle: New: the class's static Create returns a pointer to what it made
#include <twinkle/twinkle.h>

class Opened {
 public:
  static absl::StatusOr<Opened> Create(int) { return Opened(); }
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(Opened, (), (Nothing))

auto opened = twinkle::New<Opened>({}, 1);
