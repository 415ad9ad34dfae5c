// EXPECT: twinkle: an own dispatch is absl::StatusOr<std::tuple<P...>> f(int length, int i, const std::tuple<P...>&
#include <twinkle/twinkle.h>

#include <tuple>
#include <vector>

std::tuple<std::vector<int>> Deal(int, int, const std::tuple<std::vector<float>>&, const twinkle::DeviceMesh*) {
  return {};
}

class Taker {
 public:
  void Take(const std::vector<int>& list);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take, twinkle::DispatchBy<&Deal>))

auto taker = twinkle::New<Taker>({});
