// FIRST: twinkle: a pointer or view as a parameter means nothing in another process
#include <absl/types/span.h>
#include <twinkle/twinkle.h>

class Taker {
 public:
  void Take(absl::Span<const int> numbers);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
