// FIRST: twinkle: Each() needs a method that returns std::optional<T>
#include <twinkle/twinkle.h>

class Loader {
 public:
  int Next();
};
TWINKLE_REMOTE_CLASS(Loader, (), (Next))

void Iterate(const twinkle::Remote<Loader>& loader) { loader.Next.Each(); }
