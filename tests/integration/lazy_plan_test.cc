// Plans over lazies, given to methods: each rank gets what it would have got of the collected value.
#include <twinkle/twinkle.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/session.h"
#include "tests/support/random.h"

namespace plans {

using twinkle::Collect, twinkle::Dispatch, twinkle::Lazy, twinkle::Tensor;
using List = std::vector<int64_t>;

struct Batch {
  List ids;
  Tensor weights;
};

// `first`, `first` + 1, and so on: ids, and twice as much as weights.
Batch Count(int64_t first, int64_t rows) {
  Batch batch;
  std::vector<float> weights;
  for (int64_t id = first; id < first + rows; ++id) {
    batch.ids.push_back(id);
    weights.push_back(2 * static_cast<float>(id));
  }
  batch.weights = *Tensor::FromVector<float>(std::move(weights));
  return batch;
}

// With a member that has no rows and holds lists all the same.
struct Paired {
  List ids;
  std::pair<List, List> both;
};

class Source {
 public:
  Paired Pairs(int64_t rows) { return {List(rows, 1), {List(rows, 2), List(rows, 3)}}; }
  // Ranks have different numbers of rows.
  Batch Make(int64_t rows) { return Count(1000 * twinkle::Context().rank(), rows + twinkle::Context().rank()); }
  List Ids(int64_t rows) { return Make(rows).ids; }
  double Half(double number) { return number / 2; }
};
TWINKLE_REMOTE_CLASS(Source, (), (Make, Collect::kFlatten), (Ids, Collect::kFlatten), (Half, Collect::kMean),
                     (Pairs, Collect::kFirst))

class Sink {
 public:
  Batch EchoDp(const Batch& batch) { return batch; }
  List EchoSlice(const List& list) { return list; }
  Batch Whole(const Batch& batch) { return batch; }
  int64_t Size(const Lazy<Batch>& batch) { return twinkle::tests::Must(batch.Size()); }
  List Ids(const Lazy<Batch>& batch) { return twinkle::tests::Result(batch.Field(&Batch::ids)); }
};
TWINKLE_REMOTE_CLASS(Sink, (), (EchoDp, Dispatch::kSliceDp, Collect::kFlattenDp),
                     (EchoSlice, Dispatch::kSlice, Collect::kFlatten), (Whole, Dispatch::kAll), (Size), (Ids))

namespace {

using twinkle::Concat, twinkle::MakeLazy, twinkle::Mode, twinkle::New, twinkle::Put, twinkle::Remote;
using twinkle::tests::Below, twinkle::tests::Cpu, twinkle::tests::Must, twinkle::tests::Result, twinkle::tests::Told;

// The same on collected values.
Batch Taken(const Batch& batch, const List& rows) {
  Batch taken;
  std::vector<float> weights;
  const auto all = Must(batch.weights.data<float>());
  for (int64_t row : rows) {
    taken.ids.push_back(batch.ids[static_cast<size_t>(row)]);
    weights.push_back(all[static_cast<size_t>(row)]);
  }
  taken.weights = *Tensor::FromVector<float>(std::move(weights));
  return taken;
}
Batch Joined(const Batch& a, const Batch& b) {
  Batch joined = a;
  joined.ids.insert(joined.ids.end(), b.ids.begin(), b.ids.end());
  auto weights = twinkle::tests::Items<float>(a.weights);
  for (float weight : twinkle::tests::Items<float>(b.weights)) weights.push_back(weight);
  joined.weights = *Tensor::FromVector<float>(std::move(weights));
  return joined;
}
bool Same(const Batch& a, const Batch& b) { return a.ids == b.ids && a.weights == b.weights; }

// A random plan over lazies, and what it stands for.
struct Planned {
  Lazy<Batch> lazy;
  Batch value;
};
Planned RandomPlan(twinkle::tests::Random& random, std::vector<Planned> bases) {
  Planned plan = bases[random() % bases.size()];
  for (int step = 1 + Below(random, 4); step > 0; --step) {
    const int64_t rows = static_cast<int64_t>(plan.value.ids.size());
    List taken;
    switch (Below(random, 5)) {
      case 0:
        for (int i = 4 + Below(random, 8); i > 0; --i) {
          taken.push_back(static_cast<int64_t>(random() % static_cast<uint64_t>(rows)));
        }
        plan = {plan.lazy.Take(taken), Taken(plan.value, taken)};
        break;
      case 1:
        for (int64_t row = 0; row < rows; ++row) taken.insert(taken.end(), 2, row);
        plan = {plan.lazy.Repeat(2), Taken(plan.value, taken)};
        break;
      case 2: {
        const int64_t begin = Below(random, static_cast<int>(rows) - 3);
        for (int64_t row = begin; row < rows; ++row) taken.push_back(row);
        plan = {plan.lazy.Rows(begin, rows), Taken(plan.value, taken)};
        break;
      }
      case 3: {
        const Planned& other = bases[random() % bases.size()];
        plan = {Concat(plan.lazy, other.lazy), Joined(plan.value, other.value)};
        break;
      }
      default:
        plan.lazy = MakeLazy<Batch>(plan.lazy.Field(&Batch::ids), plan.lazy.Field(&Batch::weights));
    }
  }
  return plan;
}

TEST_CASE("every plan, given to every kind of method on every number of ranks, is as the collected value") {
  const uint64_t seed = twinkle::tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  twinkle::tests::Random random(seed);
  for (const int sinks : {1, 3, 4}) {
    auto session = twinkle::tests::Begin(Mode::kInProcess, {Cpu("source", 3), Cpu("sink", sinks)});
    const auto source = Must(New<Source>({.remote_group = "source"}));
    const auto sink = Must(New<Sink>({.remote_group = "sink", .device_mesh = twinkle::tests::Mesh({.dp = sinks})}));
    std::vector<Planned> bases;
    for (int64_t rows : {5, 9}) {
      const Lazy<Batch> lazy = source.Make(rows);
      bases.push_back({lazy, Result(lazy)});
      bases.push_back({source.Make(rows), bases.back().value});  // never collected here
    }
    const Batch own = Count(5000, 6);
    bases.push_back({Put(own), own});
    for (int round = 0; round < 40; ++round) {
      const auto [lazy, value] = RandomPlan(random, bases);
      INFO("round " << round << ", " << value.ids.size() << " rows for " << sinks << " ranks");
      CHECK(Must(lazy.Size()) == static_cast<int64_t>(value.ids.size()));
      CHECK(Same(Result(sink.EchoDp(lazy)), value));
      CHECK(Result(sink.EchoSlice(lazy.Field(&Batch::ids))) == value.ids);
      CHECK(Same(Result(sink.Whole(lazy)).back(), value));
      CHECK(Result(sink.Size(lazy)).at(0) == static_cast<int64_t>(value.ids.size()));
      CHECK(Result(sink.Ids(lazy)).at(0) == value.ids);
      CHECK(Same(Result(lazy), value));
    }
    Must(session.Finish());
  }
}

TEST_CASE("a plan may be made before anything is there, and fails as what it is made of") {
  auto session = twinkle::tests::Begin(Mode::kInProcess, {Cpu("source", 2), Cpu("sink", 2)});
  const auto source = Must(New<Source>({.remote_group = "source"}));
  const auto sink = Must(New<Sink>({.remote_group = "sink", .device_mesh = twinkle::tests::Mesh({.dp = 2})}));
  CHECK(Result(sink.EchoSlice(source.Ids(2).Take({4, 0}))) == List{1002, 0});
  const Lazy<List> bad = source.Ids(2).Take({5});
  CHECK(Told(bad.Get()).find("there is no row 5") != std::string::npos);
  CHECK(Told(sink.EchoSlice(bad).Get()).find("its argument 1 failed") != std::string::npos);
  CHECK(Told(source.Half(3).Take({0}).Get()).find("it has no rows") != std::string::npos);
  CHECK(Told(Lazy<List>().Take({0}).Get()).find("an empty Lazy") != std::string::npos);
  CHECK(Told(Concat(source.Ids(1), Lazy<List>()).Get()).find("an empty Lazy") != std::string::npos);
}

TEST_CASE("members without rows stay whole in a plan, and those of several values are not joined") {
  const Mode mode = GENERATE(Mode::kInProcess, Mode::kLocal);
  auto session = twinkle::tests::Begin(mode, {Cpu("source", 1)});
  const auto source = Must(New<Source>({.remote_group = "source"}));
  const Lazy<Paired> lazy = source.Pairs(3);
  CHECK(Result(lazy.Rows(0, 1)).both.first == List{2, 2, 2});
  const auto joined = Concat(lazy, source.Pairs(3)).Get();
  CHECK(absl::IsInvalidArgument(joined.status()));
  CHECK(Told(joined).find("at 'member 1': only lists, tensors and") != std::string::npos);
  CHECK(Told(joined).find("put lists and tensors that belong together into a struct") != std::string::npos);
  Must(session.Finish());
}

TEST_CASE("without ranks plans are as the same operations on values") {
  auto session = twinkle::tests::Begin(Mode::kLocal, {});
  const auto source = Must(New<Source>({}));
  const auto sink = Must(New<Sink>({.device_mesh = twinkle::tests::Mesh({.dp = 1})}));
  const Lazy<Batch> lazy = MakeLazy<Batch>(source.Ids(4), Put(*Tensor::FromVector<float>({1, 2, 3, 4})));
  CHECK(Result(sink.Whole(lazy.Take({3, 3, 1}))).at(0).ids == List{3, 3, 1});
  CHECK(Result(Concat(lazy.Rows(0, 1), lazy.Repeat(2)).Field(&Batch::ids)) == List{0, 0, 0, 1, 1, 2, 2, 3, 3});
  Must(session.Finish());
}

}  // namespace
}  // namespace plans
