// FIRST: twinkle: a pointer, reference or view means nothing in another process
#include <absl/types/span.h>
#include <twinkle/twinkle.h>

class Giver {
 public:
  absl::Span<const int> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
