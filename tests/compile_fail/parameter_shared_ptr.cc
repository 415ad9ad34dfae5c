// FIRST: of a type that is not yours copy what counts into a plain struct, or specialise twinkle::Codec<T>
#include <twinkle/twinkle.h>

#include <memory>

class Taker {
 public:
  void Take(const std::shared_ptr<int>& value);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
