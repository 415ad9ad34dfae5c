// FIRST: twinkle: Each() needs a method without parameters
#include <twinkle/twinkle.h>

#include <optional>

class Loader {
 public:
  std::optional<int> Next(int count);
};
TWINKLE_REMOTE_CLASS(Loader, (), (Next))

void Iterate(const twinkle::Remote<Loader>& loader) { loader.Next.Each(); }
