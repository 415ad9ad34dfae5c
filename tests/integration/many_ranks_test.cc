// Components on many ranks, all in one process.
#include <twinkle/twinkle.h>

#include <numeric>
#include <vector>

#include "tests/integration/session.h"

namespace many_ranks {

using twinkle::Collect;

class Counter {
 public:
  std::vector<int64_t> Where() { return {twinkle::Context().rank()}; }
  int64_t Size() { return twinkle::Context().world_size(); }
};
TWINKLE_REMOTE_CLASS(Counter, (), (Where, Collect::kFlatten), (Size, Collect::kSum))

}  // namespace many_ranks

namespace twinkle::tests {
namespace {

using many_ranks::Counter;

void CallAll(int ranks) {
  auto session = Begin(Mode::kInProcess, {Cpu("many", ranks)});
  auto counter = Must(New<Counter>({.remote_group = "many"}));
  Must(counter.component().WaitReady(absl::Seconds(100)));
  CHECK(counter.component().world_size() == ranks);
  std::vector<int64_t> all(static_cast<size_t>(ranks));
  std::iota(all.begin(), all.end(), 0);
  CHECK((Result(counter.Where()) == all));
  CHECK(Result(counter.Size()) == int64_t{ranks} * ranks);
  CHECK(Result(counter.Rank(ranks - 1).Where()) == std::vector<int64_t>{ranks - 1});
  Must(counter.component().Release());
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a component on 300 ranks works as one on few") { CallAll(300); }

TEST_CASE("a component on 4000 ranks works as one on few", "[.long]") { CallAll(4000); }

}  // namespace
}  // namespace twinkle::tests
