// Parameters that are lazies themselves; lazy arguments that fail, or that are late.
#include <twinkle/twinkle.h>

#include <string>
#include <vector>

#include "tests/integration/session.h"

namespace refs {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Lazy;
using List = std::vector<int64_t>;

twinkle::tests::Gate gate;
twinkle::tests::Log<std::string> ran;

class Source {
 public:
  List Ids(int64_t count) {
    List ids;
    for (int64_t i = 0; i < count; ++i) ids.push_back(1000 * twinkle::Context().rank() + i);
    return ids;
  }
  List LateIds() {
    gate.Wait();
    return Ids(2);
  }
  absl::StatusOr<List> FailingIds(const std::string& why) {
    if (twinkle::Context().rank() == twinkle::Context().world_size() - 1) return absl::DataLossError(why);
    return Ids(2);
  }
  void Nothing() {}
};
absl::StatusOr<List> Refuse(const std::vector<List>&, const twinkle::DeviceMesh*) {
  return absl::OutOfRangeError("cannot be joined");
}
TWINKLE_REMOTE_CLASS(Source, (), (Ids, Collect::kFlatten), (LateIds, Collect::kFlatten),
                     (FailingIds, Collect::kFlatten), (Nothing))
class Unjoinable : public Source {};
TWINKLE_REMOTE_CLASS(Unjoinable, (), (Ids, twinkle::CollectBy<&Refuse>))

class Sink {
 public:
  List Get(const Lazy<List>& lazy) { return twinkle::tests::Result(lazy); }
  int64_t Size(Lazy<List> lazy) { return twinkle::tests::Must(lazy.Size()); }
  List Rows(const Lazy<List>& lazy) { return twinkle::tests::Result(lazy.Rows(1, 3)); }
  bool Ready(const Lazy<List>& lazy) { return lazy.Ready(); }
  std::string Told(const Lazy<List>& lazy) { return twinkle::tests::Told(lazy.Get()); }
  std::string NothingTold(const Lazy<void>& lazy) { return twinkle::tests::Told(lazy.Get()); }
  void Ignore(const Lazy<List>&) {}
  void Keep(const Lazy<List>& lazy) { kept_ = lazy; }
  List Kept() { return twinkle::tests::Result(kept_); }
  // Passes the reference on, to a component of another group.
  List PassOn(const Lazy<List>& lazy, const twinkle::Remote<Sink>& next);
  List Sum(const List& list) {
    int64_t sum = 0;
    for (int64_t item : list) sum += item;
    return {sum};
  }
  void Note(const std::string& what) { ran.Add(what); }
  void NoteList(const List& list, const std::string& what) { ran.Add(what + " " + std::to_string(list.size())); }

 private:
  Lazy<List> kept_;
};
TWINKLE_REMOTE_CLASS(Sink, (), (Get), (Size), (Rows), (Ready), (Told), (NothingTold), (Ignore), (Keep), (Kept),
                     (PassOn), (Sum, Dispatch::kSlice, Collect::kFlatten), (Note), (NoteList, Dispatch::kAll))
List Sink::PassOn(const Lazy<List>& lazy, const twinkle::Remote<Sink>& next) {
  return twinkle::tests::Result(next.Get(lazy)).at(0);
}

}  // namespace refs

namespace {

using namespace twinkle::tests;
using namespace refs;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::Put;
using Lists = std::vector<List>;

struct Job {
  Job(Mode mode, int sources, int sinks) : session(Begin(mode, {Cpu("a", sources), Cpu("b", sinks)})) {
    source = Must(twinkle::New<Source>({.remote_group = "a"}));
    sink = Must(twinkle::New<Sink>({.remote_group = "b"}));
  }
  twinkle::Session session;
  twinkle::Remote<Source> source;
  twinkle::Remote<Sink> sink;
};

TEST_CASE("a parameter that is a Lazy gets the reference itself") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode, 2, 3);
  const size_t sinks = mode == Mode::kLocal ? 1 : 3;
  const int64_t count = GENERATE(3, 40000);  // carried by replies, and pulled
  const Lazy<List> made = job.source.Ids(count);
  const Lazy<List> put = Put(List{1, 2, 3, 4});
  auto& sink = job.sink;
  const auto sizes = sink.Size(made);
  const auto got = sink.Get(made);
  Must(got.Wait(absl::Seconds(60)));  // before it was fetched here
  const List all = Result(made);
  const int64_t size = Must(made.Size());
  CHECK(Result(sizes) == List(sinks, size));
  CHECK((Result(got) == Lists(sinks, all)));
  CHECK(Result(sink.Size(made)) == List(sinks, size));
  CHECK((Result(sink.Get(made)) == Lists(sinks, all)));
  CHECK((Result(sink.Get(made.Rows(1, size))) == Lists(sinks, List(all.begin() + 1, all.end()))));
  CHECK(Result(sink.Get(put)) == Lists(sinks, List{1, 2, 3, 4}));
  CHECK(Result(sink.Rows(put)) == Lists(sinks, List{2, 3}));
  CHECK(Result(sink.Size(put)) == List(sinks, 4));
  CHECK(Result(sink.Rows(made.Rows(0, 3))).front() == List(all.begin() + 1, all.begin() + 3));
  CHECK(Result(sink.NothingTold(job.source.Nothing())).front() == "OK");
  CHECK(Result(sink.Rank(0).Get(made)) == Result(made));
}

TEST_CASE("a reference that an object keeps outlives the caller's") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode, 2, 2);
  const int64_t count = GENERATE(2, 40000);
  job.sink.Keep(job.source.Ids(count));
  const List expected = Result(job.source.Ids(count));
  CHECK((Result(job.sink.Kept()).back() == expected));
  CHECK((Result(job.sink.Kept()).back() == expected));
  job.sink.Keep(Put(List{1}));
  CHECK(Result(job.sink.Kept()).back() == List{1});
}

TEST_CASE("a reference can be passed on") {
  auto session = Begin(Mode::kInProcess, {Cpu("a", 2), Cpu("b", 2), Cpu("c", 2)});
  auto source = Must(twinkle::New<Source>({.remote_group = "a"}));
  auto sink = Must(twinkle::New<Sink>({.remote_group = "b"}));
  auto next = Must(twinkle::New<Sink>({.remote_group = "c"}));
  const Lazy<List> made = source.Ids(GENERATE(2, 40000));
  CHECK((Result(sink.PassOn(made, next)) == Lists(2, Result(made))));
}

TEST_CASE("a failed lazy fails the call that takes its value, with the first cause") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode, 2, 2);
  const Lazy<List> failed = job.source.FailingIds("lost");
  const auto sum = job.sink.Sum(failed);
  const auto sum_of_sum = job.sink.Sum(sum);
  const auto of_rows = job.sink.Sum(failed.Rows(0, 1));
  for (const auto* lazy : {&sum, &sum_of_sum, &of_rows}) {
    CHECK(lazy->Get().status().code() == absl::StatusCode::kDataLoss);
    CHECK_THAT(Told(lazy->Get()), ContainsSubstring("Source.FailingIds failed") && ContainsSubstring("lost") &&
                                      ContainsSubstring("lazy_reference_test.cc:"));
  }
  CHECK_THAT(Told(sum.Get()), ContainsSubstring("Sink.Sum") && ContainsSubstring("argument 1"));
  // The component goes on.
  CHECK(Result(job.sink.Sum(List{1, 2})).size() == (mode == Mode::kLocal ? 1U : 2U));
  CHECK(Told(job.session.Finish()) == "OK");  // looking at what depends on a failure looks at it
}

TEST_CASE("a lazy whose collect rule fails does so for the call that takes it") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode, 2, 2);
  auto unjoinable = Must(twinkle::New<Unjoinable>({.remote_group = "a"}));
  const Lazy<List> failed = unjoinable.Ids(2);
  const auto sum = job.sink.Sum(failed);
  CHECK(sum.Get().status().code() == absl::StatusCode::kOutOfRange);
  CHECK_THAT(Told(sum.Get()), ContainsSubstring("Unjoinable.Ids") && ContainsSubstring("cannot be joined"));
  CHECK(sum.Get().status().code() == failed.Get().status().code());
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("a failed reference reaches the method, which may look at it") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode, 2, 2);
  const Lazy<List> failed = job.source.FailingIds("lost");
  CHECK_THAT(Result(job.sink.Told(failed)).front(),
             ContainsSubstring("DATA_LOSS: Source.FailingIds failed") && ContainsSubstring("lost"));
  CHECK_FALSE(failed.Get().ok());
  Must(job.sink.Ignore(failed).Get());
  CHECK(Told(job.session.Finish()) == "OK");  // it was looked at here: who was only given it need not look again
}

TEST_CASE("an empty lazy or handle as an argument is InvalidArgument") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode, 1, 1);
  CHECK(job.sink.Sum(Lazy<List>()).Get().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(job.sink.Ignore(Lazy<List>()).Get().code() == absl::StatusCode::kInvalidArgument);
  CHECK(job.sink.PassOn(Put(List{}), twinkle::Remote<Sink>()).Get().status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("calls keep their order while an argument is late") {
  auto mode = GENERATE(0, 1);
  auto session = Begin(Mode::kInProcess, {Cpu("a", 2), mode == 0 ? Cpu("b", 2) : Devices("b", 2), Cpu("c", 1)});
  auto source = Must(twinkle::New<Source>({.remote_group = "a"}));
  auto sink = Must(twinkle::New<Sink>({.remote_group = "b"}));
  auto other = Must(twinkle::New<Sink>({.remote_group = "c"}));
  const ClosedHere closed(gate);
  ran.Take();
  const Lazy<List> late = source.LateIds();
  sink.Rank(0).Note("first");
  const auto waits = sink.Rank(0).NoteList(late, "second");
  const auto behind = sink.Rank(0).Note("third");
  const auto joins = sink.Rank(0).NoteList(late.Rows(0, 1), "fourth");
  Must(other.Note("elsewhere").Get());  // nobody else waits
  CHECK_FALSE(waits.Ready());
  CHECK_FALSE(behind.Ready());
  gate.Open();
  Must(joins.Get());
  const auto order = ran.Take();
  std::vector<std::string> here;
  for (const std::string& what : order) {
    if (what != "elsewhere") here.push_back(what);
  }
  CHECK(here == std::vector<std::string>{"first", "second 4", "third", "fourth 1"});
}

TEST_CASE("a reference is passed before it is ready, and the method waits for it itself") {
  Job job(Mode::kInProcess, 2, 1);
  const ClosedHere closed(gate);
  const Lazy<List> late = job.source.LateIds();
  const auto got = job.sink.Get(late);
  gate.Open();
  CHECK(Result(got).front() == List{0, 1, 1000, 1001});
}

TEST_CASE("lazies given up before their calls have run do no harm") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode, 2, 2);
  for (int round = 0; round < 100; ++round) job.sink.Sum(job.source.Ids(round % 2 == 0 ? 3 : 20000));
  CHECK(Told(job.session.Finish()) == "OK");
}

}  // namespace
