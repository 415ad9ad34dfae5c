// FIRST: twinkle: Each() takes no arguments
#include <twinkle/twinkle.h>

#include <optional>

class Loader {
 public:
  std::optional<int> Next(int count);
};
TWINKLE_REMOTE_CLASS(Loader, (), (Next))

void Iterate(const twinkle::Remote<Loader>& loader) { loader.Next.Each(64); }
