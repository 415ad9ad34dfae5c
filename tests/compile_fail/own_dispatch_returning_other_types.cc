// EXPECT: twinkle: an own dispatch returns std::tuple<P...>, or absl::StatusOr of it, with the very types
#include <twinkle/twinkle.h>

#include <tuple>

class Taker {
 public:
  void Take(int64_t number);
};
absl::StatusOr<std::tuple<int>> Halve(int length, int i, const std::tuple<int64_t>& args,
                                      const twinkle::DeviceMesh* mesh);
TWINKLE_REMOTE_CLASS(Taker, (), (Take, twinkle::DispatchBy<&Halve>))

auto taker = twinkle::New<Taker>({});
