// EXPECT: twinkle: Dispatch::kSliceDp cannot look into a class with serialize()
#include <twinkle/twinkle.h>

#include <vector>

class Opaque {
 public:
  template <class Archive>
  void serialize(Archive& archive) {
    archive(list_);
  }

 private:
  std::vector<int> list_;
};

class Taker {
 public:
  void Take(const Opaque& opaque);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take, twinkle::Dispatch::kSliceDp))

auto taker = twinkle::New<Taker>({});
