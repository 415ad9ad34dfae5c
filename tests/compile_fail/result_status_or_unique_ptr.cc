// EXPECT: twinkle: this type cannot be sent: it has a constructor, private members or virtual functions
#include <twinkle/twinkle.h>

#include <memory>

class Giver {
 public:
  absl::StatusOr<std::unique_ptr<int>> Give();
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give))

auto giver = twinkle::New<Giver>({});
