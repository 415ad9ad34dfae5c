// FIRST: twinkle: Each() goes over all ranks of a component
#include <twinkle/twinkle.h>

#include <optional>

class Loader {
 public:
  std::optional<int> Next();
};
TWINKLE_REMOTE_CLASS(Loader, (), (Next))

void Iterate(const twinkle::Remote<Loader>& loader) { loader.Rank(0).Next.Each(); }
