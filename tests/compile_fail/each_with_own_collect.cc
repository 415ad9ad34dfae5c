// FIRST: twinkle: Each() needs a named collect rule, not CollectBy
#include <twinkle/twinkle.h>

#include <optional>
#include <vector>

class Thing {
 public:
  std::optional<int> Next() { return std::nullopt; }
};
int Join(const std::vector<std::optional<int>>& all_results, const twinkle::DeviceMesh*) {
  return static_cast<int>(all_results.size());
}
TWINKLE_REMOTE_CLASS(Thing, (), (Next, twinkle::CollectBy<&Join>))

void Iterate(const twinkle::Remote<Thing>& thing) { thing.Next.Each(); }
