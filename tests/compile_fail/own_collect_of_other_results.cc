// EXPECT: twinkle: an own collect is absl::StatusOr<C> f(const std::vector<R>& all_results, const DeviceMesh* mesh)
#include <twinkle/twinkle.h>

#include <vector>

int Join(const std::vector<float>& all_results, const twinkle::DeviceMesh*) {
  return static_cast<int>(all_results.size());
}

class Giver {
 public:
  int Give() { return 0; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give, twinkle::CollectBy<&Join>))
