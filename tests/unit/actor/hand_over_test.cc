// What a group makes, given to another: each rank pulls the rows that it needs, and nothing else.
#include <twinkle/twinkle.h>

#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "runtime/actor/process.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/support/stepped_job.h"

namespace twinkle::actor {
namespace {

using tests::Below;
using tests::CpuGroup;

constexpr int64_t kColumns = 256;
constexpr uint64_t kRowBytes = kColumns * sizeof(float);
constexpr uint64_t kOverhead = 400;  // heads of what is pulled, a piece

struct Batch {
  Tensor scores;
  std::map<std::string, std::vector<int64_t>> more;
  bool operator==(const Batch&) const = default;
};

Tensor Rows(int64_t rows, int64_t first) {
  std::vector<float> data(static_cast<size_t>(rows * kColumns));
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(first) + static_cast<float>(i / kColumns);
  return Tensor::FromVector<float>(std::move(data), {rows, kColumns}).value();
}

// Rank r makes `rows[r]` rows.
class Maker {
 public:
  Tensor Scores(const std::vector<int64_t>& rows) { return Rows(Mine(rows), 1000 * Context().rank()); }
  Batch Table(const std::vector<int64_t>& rows) {
    std::vector<int64_t> ids(static_cast<size_t>(Mine(rows)));
    std::iota(ids.begin(), ids.end(), 1000 * Context().rank());
    return {Scores(rows), {{"ids", ids}}};
  }

 private:
  static int64_t Mine(const std::vector<int64_t>& rows) { return rows[static_cast<size_t>(Context().rank())]; }
};
TWINKLE_REMOTE_CLASS(Maker, (), (Scores, Dispatch::kAll, Collect::kFlatten), (Table, Dispatch::kAll, Collect::kFlatten))

// One result of each data rank, as tensor-parallel peers have the same.
class PeerMaker : public Maker {};
TWINKLE_REMOTE_CLASS(PeerMaker, (), (Scores, Dispatch::kAll, Collect::kFlattenDp),
                     (Table, Dispatch::kAll, Collect::kFlattenDp))

template <Dispatch dispatch>
class Taker {
 public:
  Tensor Scores(const Tensor& scores) { return scores; }
  Batch Table(const Batch& table) { return table; }
};
using DpTaker = Taker<Dispatch::kSliceDp>;
using AllTaker = Taker<Dispatch::kAll>;
TWINKLE_REMOTE_CLASS(DpTaker, (), (Scores, Dispatch::kSliceDp), (Table, Dispatch::kSliceDp))
TWINKLE_REMOTE_CLASS(AllTaker, (), (Scores, Dispatch::kAll), (Table, Dispatch::kAll))

DeviceMesh RandomMesh(tests::Random& random, int ranks) {
  std::vector<int> shape;
  for (int left = ranks; shape.size() < 2; left /= shape.back()) {
    std::vector<int> divisors;
    for (int d = 1; d <= left; ++d) {
      if (left % d == 0) divisors.push_back(d);
    }
    shape.push_back(divisors[random() % divisors.size()]);
  }
  const int rest = ranks / shape[0] / shape[1];
  return DeviceMesh::FromSizes({.pp = shape[0], .dp = shape[1], .tp = rest}).value();
}

uint64_t Pulled(const Process& process) {
  return process.traffic().pulled_from_machine + process.traffic().pulled_from_network;
}

// Calls it with the lazy; what each rank has pulled for that is what it got, and what it got is the same as with the
// value.
template <class Method, class T, class BytesOf>
void Check(const tests::InstalledJob& job, int takers, int makers, const Method& take, const Lazy<T>& lazy,
           BytesOf&& bytes_of) {
  std::vector<uint64_t> before;
  for (int rank = 0; rank < takers; ++rank) before.push_back(Pulled(job.process("takers", rank)));
  const uint64_t program_before = Pulled(job.program());
  const auto lazily = take(lazy);
  const absl::Status done = lazily.Wait(absl::Seconds(30));
  CHECK(Pulled(job.program()) - program_before < kOverhead);  // nothing passes through it
  std::vector<uint64_t> moved;
  for (int rank = 0; rank < takers; ++rank) moved.push_back(Pulled(job.process("takers", rank)) - before[rank]);
  REQUIRE(lazy.Get().ok());
  const auto eagerly = take(*lazy.Get());
  REQUIRE(lazily.Get().status().code() == eagerly.Get().status().code());
  if (!done.ok()) return;
  CHECK(*lazily.Get() == *eagerly.Get());
  for (int rank = 0; rank < takers; ++rank) {
    const uint64_t needed = bytes_of(lazily.Get()->at(static_cast<size_t>(rank)));
    INFO("rank " << rank << " needed " << needed << " bytes and pulled " << moved[rank]);
    CHECK(moved[rank] >= needed);
    CHECK(moved[rank] <= needed + static_cast<uint64_t>(makers) * kOverhead);
  }
}

TEST_CASE("for any two groups and meshes each rank pulls its rows and nothing else, and gets what the value gives it") {
  const uint64_t seed = tests::Seed();
  tests::Random random(seed);
  for (int round = 0; round < 40; ++round) {
    INFO("TWINKLE_TEST_SEED=" << seed << ", round " << round);
    const int makers = 1 + Below(random, 6);
    const int takers = 1 + Below(random, 8);
    actor::InProcessOptions options;
    options.groups = {CpuGroup("makers", makers), CpuGroup("takers", takers)};
    // Sometimes two machines: then a rank may have a part from another one that needs it, too.
    const bool two = Below(random, 2) == 0;
    options.machine_of = [two](rpc::ProcessId process) -> uint64_t { return two ? 1 + process % 2 : 1; };
    const tests::InstalledJob job(std::move(options));
    const DeviceMesh from = RandomMesh(random, makers);
    const DeviceMesh to = RandomMesh(random, takers);
    INFO(makers << " -> " << takers);
    const auto maker = New<Maker>({.remote_group = "makers", .device_mesh = from});
    const auto peers = New<PeerMaker>({.remote_group = "makers", .device_mesh = from});
    const auto dp = New<DpTaker>({.remote_group = "takers", .device_mesh = to});
    const auto all = New<AllTaker>({.remote_group = "takers", .device_mesh = to});
    REQUIRE((maker.ok() && peers.ok() && dp.ok() && all.ok()));
    std::vector<int64_t> rows;
    for (int rank = 0; rank < makers; ++rank) rows.push_back(Below(random, 4) == 0 ? 0 : Below(random, 90));
    const auto tensor_bytes = [](const Tensor& tensor) { return static_cast<uint64_t>(tensor.bytes()); };
    const auto table_bytes = [](const Batch& batch) {
      return static_cast<uint64_t>(batch.scores.bytes()) + batch.more.at("ids").size() * sizeof(int64_t);
    };
    Check(job, takers, makers, dp->Scores, maker->Scores(rows), tensor_bytes);
    Check(job, takers, makers, all->Scores, maker->Scores(rows), tensor_bytes);
    Check(job, takers, makers, dp->Table, maker->Table(rows), table_bytes);
    Check(job, takers, makers, all->Table, peers->Table(rows), table_bytes);
    Check(job, takers, makers, dp->Table, peers->Table(rows), table_bytes);
  }
}

}  // namespace
}  // namespace twinkle::actor
