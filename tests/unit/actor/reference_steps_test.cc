// Parameters that are lazies themselves: what the lazy is made of goes along, and no value moves until somebody asks.
#include <absl/strings/match.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "runtime/actor/process.h"
#include "tests/support/catch.h"
#include "tests/unit/actor/steps.h"

namespace twinkle::actor::steps {
namespace {

using tests::CoreOf;
using tests::CpuGroup;
using tests::StatusOf;
using Ids = std::vector<int64_t>;

constexpr int64_t kRankRows = 20'000;  // rows of a rank: more than come along with a reply

struct Columns {
  Ids ids;
  Ids twice;
};

struct Stepped {
  int64_t step = 0;
  Ids ids;
};

class ColumnMaker {
 public:
  Stepped Step(int64_t rows) { return {7, Count(rows)}; }
  Columns Make(int64_t rows) {
    Columns columns{Count(rows), Count(rows)};
    for (int64_t& id : columns.twice) id *= 2;
    return columns;
  }
  Ids Count(int64_t rows) {
    Ids ids(static_cast<size_t>(rows));
    std::iota(ids.begin(), ids.end(), 100'000 * Context().rank());
    return ids;
  }
  Ids All(int64_t rows) { return Count(rows); }
};
TWINKLE_REMOTE_CLASS(ColumnMaker, (), (Step, Collect::kFirst), (Make, Collect::kFlatten), (Count, Collect::kFlatten),
                     (All, Collect::kNone))

// What the takers were given.
Lazy<Ids>& Given() {
  static Lazy<Ids> given;
  return given;
}
Lazy<int64_t>& GivenStep() {
  static Lazy<int64_t> given;
  return given;
}
class ReferenceTaker {
 public:
  void TakeStep(const Lazy<int64_t>& step) { GivenStep() = step; }
  int64_t Take(const Lazy<Ids>& ids) {
    Given() = ids;
    return ids.Size().value();  // nothing needs to come for that
  }
  void TakeLists(const Lazy<std::vector<Ids>>& lists) { Note(std::to_string(lists.Size().value())); }
};
TWINKLE_REMOTE_CLASS(ReferenceTaker, (), (TakeStep), (Take, Collect::kFirst), (TakeLists))

// Two ranks that make, one that takes.
struct MakersAndTaker : Stage {
  MakersAndTaker() : Stage({CpuGroup("makers", 2), CpuGroup("takers", 1)}) {}
  ~MakersAndTaker() {
    Given() = {};
    GivenStep() = {};
  }
  const Remote<ColumnMaker> maker = Make<ColumnMaker>("makers");
  const Remote<ReferenceTaker> taker = Make<ReferenceTaker>("takers");

  static uint64_t PulledBy(const Process& process) {
    return process.traffic().pulled_from_machine + process.traffic().pulled_from_network;
  }
  // By all processes.
  uint64_t Pulled() const {
    uint64_t bytes = 0;
    for (const auto& one : Processes()) bytes += PulledBy(*one);
    return bytes;
  }
  // Its value, which is asked for now, without waiting for it.
  template <class T>
  T Read(const Lazy<T>& lazy) {
    CoreOf(lazy).OnAnswered([] {});
    Run();
    REQUIRE(StatusOf(lazy).ok());
    return *std::static_pointer_cast<const T>(CoreOf(lazy).value());
  }
};

TEST_CASE("a view that is a Lazy parameter pulls nothing, and whoever asks for it pulls its rows") {
  MakersAndTaker job;
  const Lazy<Ids> made = job.maker.Count(kRankRows);
  const Lazy<Ids> early = made.Rows(1, 3);  // before the call has ended
  job.Run();
  const Lazy<Ids> view = made.Rows(kRankRows - 2, kRankRows + 1);
  for (const auto& [lazy, ids] : {std::pair{view, Ids{kRankRows - 2, kRankRows - 1, 100'000}}, {early, {1, 2}}}) {
    const uint64_t before = job.Pulled();
    const Lazy<int64_t> size = job.taker.Take(lazy);
    job.Run();
    CHECK(job.Read(size) == static_cast<int64_t>(ids.size()));
    CHECK(job.Pulled() == before);
    CHECK(CoreOf(lazy).value() == nullptr);
    CHECK(job.Read(Given()) == ids);
    CHECK(job.Pulled() - before < 1000);
    CHECK(MakersAndTaker::PulledBy(job.program()) == 0);
  }
}

TEST_CASE("a member without rows is a Lazy parameter, too, whatever rows of its record were taken before") {
  MakersAndTaker job;
  const Lazy<Stepped> made = job.maker.Step(kRankRows);
  job.Run();
  for (const Lazy<Stepped>& record : {made, made.Rows(2, 5), made.Take({3, 1, 2})}) {
    const Lazy<int64_t> step = record.Field(&Stepped::step);
    const uint64_t before = job.Pulled();
    const Lazy<void> done = job.taker.TakeStep(step);
    job.Run();
    REQUIRE(StatusOf(done).ok());
    CHECK(job.Pulled() == before);
    CHECK(job.Read(GivenStep()) == 7);
    CHECK(job.Pulled() - before < 1000);
  }
}

TEST_CASE("so does a view of what has been fetched here") {
  MakersAndTaker job;
  const Lazy<Ids> made = job.maker.Count(kRankRows);
  job.Run();
  CHECK(job.Read(made).size() == 2 * kRankRows);
  const uint64_t before = job.Pulled();
  job.taker.Take(made.Rows(0, 2 * kRankRows));
  job.Run();
  CHECK(job.Pulled() == before);
  REQUIRE(CoreOf(Given()).made_of().plan);  // it is no value that went along
  CHECK(job.Read(Given()) == job.Read(made));
}

TEST_CASE("any plan over results goes as a reference: rows in an order of their own, members, and joins of both") {
  MakersAndTaker job;
  const Lazy<Columns> columns = job.maker.Make(kRankRows);
  const Lazy<Ids> plan = Concat(columns.Field(&Columns::twice).Take({1, 0}), columns.Field(&Columns::ids).Rows(5, 6));
  job.Run();
  const uint64_t before = job.Pulled();
  job.taker.Take(plan.Rows(0, 3));
  job.Run();
  CHECK(job.Pulled() == before);
  CHECK(job.Read(Given()) == Ids{2, 0, 5});
}

TEST_CASE("a list of results, and rows of one, go as references") {
  MakersAndTaker job;
  const Lazy<std::vector<Ids>> lists = job.maker.All(kRankRows);
  job.Run();
  job.taker.TakeLists(lists);
  job.taker.TakeLists(lists.Rows(1, 2));
  job.Run();
  CHECK(job.On("takers") == Texts{"2", "1"});
  CHECK(job.Pulled() == 0);
}

TEST_CASE("of a plan over a value of the caller's process the rows go along, and nothing else of it") {
  MakersAndTaker job;
  const Lazy<Ids> plan = Put(Ids{7, 8, 9}).Take({2, 2});
  const Lazy<int64_t> size = job.taker.Take(plan);
  job.Run();
  CHECK(job.Read(size) == 2);
  CHECK(*std::static_pointer_cast<const Ids>(CoreOf(Given()).value()) == Ids{9, 9});
}

}  // namespace
}  // namespace twinkle::actor::steps
