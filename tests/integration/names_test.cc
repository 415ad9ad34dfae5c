// Components by name and by instance id.
#include <twinkle/twinkle.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/integration/session.h"

namespace named {

class Counter {
 public:
  Counter() = default;
  explicit Counter(int64_t start) : count_(start) {}
  int64_t Add(int64_t amount) { return count_ += amount; }
  std::string Find(const std::string& name);
  std::string Make(const std::string& group, const std::string& name);

 private:
  int64_t count_ = 0;
};
TWINKLE_REMOTE_CLASS(Counter, (), (Add), (Find), (Make))
class Other {
 public:
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(Other, (), (Nothing))

// In a worker process: what it sees of the component of that name.
std::string Counter::Find(const std::string& name) {
  const auto found = twinkle::Find<Counter>(name);
  if (!found.ok()) return twinkle::tests::Told(found);
  return found->component().group() + "/" + found->component().name();
}
std::string Counter::Make(const std::string& group, const std::string& name) {
  return twinkle::tests::Told(twinkle::New<Counter>({.remote_group = group, .name = name}));
}

}  // namespace named

namespace {

using namespace twinkle::tests;
using namespace named;
using Catch::Matchers::ContainsSubstring;
using twinkle::Find, twinkle::Mode, twinkle::New;
using List = std::vector<int64_t>;

TEST_CASE("Find gives a handle to the component of that name") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2), Cpu("h", 1)});
  auto made = Must(New<Counter>({.remote_group = "g", .name = "counter"}, int64_t{5}));
  auto found = Must(Find<Counter>("counter"));
  made.Add(1);
  CHECK(Result(found.Add(10)) == List(mode == Mode::kLocal ? 1 : 2, 16));
  CHECK(found.component().name() == "counter");
  CHECK(found.component().group() == "g");
  CHECK(made.component().group() == "g");
  CHECK(found.component().world_size() == (mode == Mode::kLocal ? 1 : 2));
  CHECK(Told(found.component().WaitReady(absl::Seconds(60))) == "OK");
  // From another process of the job too.
  auto other = Must(New<Counter>({.remote_group = "h"}));
  CHECK(Result(other.Find("counter")).front() == "g/counter");
}

TEST_CASE("Find of what there is not is NotFound, of another class FailedPrecondition") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto made = Must(New<Counter>({.remote_group = "g", .name = "counter"}));
  auto nameless = Must(New<Counter>({.remote_group = "g"}));
  CHECK(nameless.component().name().empty());
  CHECK(Find<Counter>("unknown").status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(Told(Find<Counter>("unknown")), ContainsSubstring("unknown"));
  CHECK(Find<Counter>("").status().code() == absl::StatusCode::kInvalidArgument);
  const auto wrong = Find<Other>("counter");
  CHECK(wrong.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(Told(wrong), ContainsSubstring("Counter") && ContainsSubstring("Other"));
}

TEST_CASE("New with a name in use is AlreadyExists, until the component is released") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2), Cpu("h", 1)});
  auto made = Must(New<Counter>({.remote_group = "g", .name = "counter"}, int64_t{5}));
  const auto again = New<Counter>({.remote_group = "h", .name = "counter"});
  CHECK(again.status().code() == absl::StatusCode::kAlreadyExists);
  CHECK_THAT(Told(again), ContainsSubstring("counter"));
  CHECK(New<Other>({.remote_group = "g", .name = "counter"}).status().code() == absl::StatusCode::kAlreadyExists);
  const auto before = made.Add(1);
  Must(made.component().Release());
  CHECK(Find<Counter>("counter").status().code() == absl::StatusCode::kNotFound);
  auto next = Must(New<Counter>({.remote_group = "g", .name = "counter"}));
  CHECK(Result(next.Add(1)).front() == 1);
  CHECK(Result(before).front() == 6);
  CHECK(Result(Must(Find<Counter>("counter")).Add(1)).front() == 2);
}

TEST_CASE("a name belongs to the session, whoever made the component") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1), Cpu("h", 1)});
  auto counter = Must(New<Counter>({.remote_group = "g"}));
  CHECK(Result(counter.Make("h", "made by g")).front() == "OK");
  CHECK(Result(Must(Find<Counter>("made by g")).Add(3)) == List{3});
  CHECK(New<Counter>({.remote_group = "g", .name = "made by g"}).status().code() == absl::StatusCode::kAlreadyExists);
  CHECK_THAT(Result(counter.Make("h", "made by g")).front(), ContainsSubstring("ALREADY_EXISTS"));
  // An object of the program's own process takes its name like any other.
  auto own = Must(New<Counter>({.name = "own"}));
  CHECK(New<Counter>({.remote_group = "g", .name = "own"}).status().code() == absl::StatusCode::kAlreadyExists);
  CHECK(New<Counter>({.name = "made by g"}).status().code() == absl::StatusCode::kAlreadyExists);
}

TEST_CASE("names end with their session") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  {
    auto session = Begin(mode, {Cpu("g", 1)});
    Must(New<Counter>({.remote_group = "g", .name = "counter"}));
  }
  auto session = Begin(mode, {Cpu("g", 1)});
  CHECK(Find<Counter>("counter").status().code() == absl::StatusCode::kNotFound);
  CHECK(New<Counter>({.remote_group = "g", .name = "counter"}).ok());
}

TEST_CASE("a component whose constructor fails keeps its name until it is released") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto made = Must(New<Counter>({.remote_group = "g", .name = "counter"}, twinkle::PerRank(List{1, 2, 3})));
  CHECK(made.component().WaitReady(absl::Seconds(60)).code() == absl::StatusCode::kInvalidArgument);
  CHECK(New<Counter>({.remote_group = "g", .name = "counter"}).status().code() == absl::StatusCode::kAlreadyExists);
  Must(made.component().Release());
  CHECK(New<Counter>({.remote_group = "g", .name = "counter"}).ok());
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("New with the instance id of a live component gives a handle to that one") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 1), Cpu("h", 1)});
  const twinkle::RemoteOptions id = {.remote_group = "g", .instance_id = "shared"};
  auto first = Must(New<Counter>(id, int64_t{5}));
  auto second = Must(New<Counter>(id, int64_t{100}));
  CHECK(Result(first.Add(1)) == List{6});
  CHECK(Result(second.Add(1)) == List{7});
  // Without an id every New makes a new one.
  auto other = Must(New<Counter>({.remote_group = "g"}, int64_t{100}));
  CHECK(Result(other.Add(1)) == List{101});
  // Of another class or group it is another thing that has this id.
  CHECK(New<Other>(id).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(New<Counter>({.remote_group = "h", .instance_id = "shared"}).status().code() ==
        absl::StatusCode::kInvalidArgument);
  Must(first.component().Release());
  auto third = Must(New<Counter>(id, int64_t{1}));
  CHECK(Result(third.Add(1)) == List{2});
  CHECK(second.Add(1).Get().status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("many threads that want one instance get one") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      auto counter = Must(New<Counter>({.remote_group = "g", .instance_id = "shared"}));
      for (int call = 0; call < 25; ++call) counter.Add(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  auto counter = Must(New<Counter>({.remote_group = "g", .instance_id = "shared"}));
  CHECK(Result(counter.Add(0)).front() == 100);
}

TEST_CASE("an empty handle fails with FailedPrecondition; copies and moves refer to one component") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto first = Must(New<Counter>({.remote_group = "g", .name = "counter"}));
  twinkle::Remote<Counter> copy;
  CHECK(copy.component().name().empty());
  CHECK(copy.component().world_size() == 0);
  CHECK(copy.component().WaitReady(absl::Seconds(1)).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(copy.component().Release().code() == absl::StatusCode::kFailedPrecondition);
  copy.component().Kill();
  CHECK(copy.Add(1).Get().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(copy.Rank(0).Add(1).Get().status().code() == absl::StatusCode::kFailedPrecondition);
  copy = first;
  twinkle::Remote<Counter> moved = std::move(first);
  CHECK(Result(copy.Add(1)) == List{1});
  CHECK(Result(moved.Add(1)) == List{2});
  CHECK(moved.component().name() == "counter");
}

}  // namespace
