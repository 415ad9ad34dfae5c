// Names that methods may have, and calls that a component makes to itself.
#include <twinkle/twinkle.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/integration/session.h"

namespace own {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Remote;

// Called what the library's own things are called.
class Named {
 public:
  int64_t rank() const { return twinkle::Context().rank(); }
  std::string raw() { return "raw"; }
  int64_t Collect() { return 1; }
  int64_t Execute() { return 2; }
  int64_t Dispatch() { return 3; }
  std::string component_ref() { return "mine"; }
  std::string name() { return "name"; }
};
TWINKLE_REMOTE_CLASS(Named, (), (rank), (raw, Collect::kFirst), (Collect, Collect::kSum), (Execute, Collect::kSum),
                     (Dispatch, Collect::kSum), (component_ref, Collect::kFirst), (name, Collect::kFirst))

// Calls itself from a thread of its own: such calls queue behind the method that makes them.
class Selfish {
 public:
  std::string AskSelf(const Remote<Selfish>& self, bool cancel);
  int64_t Forever() { return Endless(); }
  int64_t Limited() { return Endless(); }

 private:
  static int64_t Endless() {
    twinkle::tests::AwaitCancelled();
    return 0;
  }
};
TWINKLE_REMOTE_CLASS(Selfish, (twinkle::MaxConcurrency{2}), (AskSelf, Collect::kFirst), (Forever),
                     (Limited, twinkle::Timeout{std::chrono::milliseconds(50)}))

// Behind the declaration: a handle has its methods from there on.
std::string Selfish::AskSelf(const Remote<Selfish>& self, bool cancel) {
  std::string code;
  std::thread caller([&] {
    const auto slow = cancel ? self.Forever() : self.Limited();
    if (cancel) slow.Cancel();
    code = absl::StatusCodeToString(slow.Get().status().code());
  });
  caller.join();
  return code;
}

// Ends itself while it runs.
class Ender {
 public:
  explicit Ender(std::string text) : text_(std::move(text)) {}
  std::string End(const Remote<Ender>& self, bool kill);

 private:
  const std::string text_;
};
TWINKLE_REMOTE_CLASS(Ender, (), (End, Collect::kFirst))

std::string Ender::End(const Remote<Ender>& self, bool kill) {
  if (kill) {
    self.component().Kill();
  } else {
    self.component().Release().IgnoreError();
  }
  return text_ + text_;  // still there
}

struct Item {
  std::unique_ptr<int> unused = nullptr;  // never sent: it only keeps the class from being copied
  std::vector<int64_t> numbers;
  Item() = default;
  Item(Item&&) = default;
  Item& operator=(Item&&) = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(numbers);
  }
};
class Mover {
 public:
  Item Make() {
    Item item;
    item.numbers = {1, 2, 3};
    return item;
  }
  int64_t Take(Item item) { return static_cast<int64_t>(std::exchange(item.numbers, {}).size()); }
};
TWINKLE_REMOTE_CLASS(Mover, (), (Make, Collect::kFirst), (Take, Collect::kFirst))

class Meshed {
 public:
  std::vector<int64_t> Split(const std::vector<int64_t>& list) { return list; }
};
TWINKLE_REMOTE_CLASS(Meshed, (), (Split, Dispatch::kSliceDp, Collect::kFlattenDp))
class MakesMeshed {
 public:
  // An object of the rank itself: no mesh is looked at.
  bool Make() { return twinkle::New<Meshed>({.remote_group = "g"}).ok(); }
};
TWINKLE_REMOTE_CLASS(MakesMeshed, (), (Make, Collect::kFirst))

}  // namespace own

namespace {

using namespace twinkle::tests;
using namespace own;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New;

TEST_CASE("a method may be called what the library's own things are called") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto named = Must(New<Named>({.remote_group = "g"}));
  CHECK(Result(named.rank()) == std::vector<int64_t>{0, 1});
  CHECK(Result(named.Rank(1).rank()) == 1);
  CHECK(Result(named.raw()) == "raw");
  CHECK(Result(named.Collect()) == 2);
  CHECK(Result(named.Execute()) == 4);
  CHECK(Result(named.Dispatch()) == 6);
  CHECK(Result(named.component_ref()) == "mine");
  CHECK(Result(named.name()) == "name");
  CHECK(named.component().world_size() == 2);
}

TEST_CASE("calls to the own object can be cancelled, and run out of time") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  auto selfish = Must(New<Selfish>({.remote_group = "g"}));
  CHECK(Result(selfish.AskSelf(selfish, true)) == "CANCELLED");
  CHECK(Result(selfish.AskSelf(selfish, false)) == "DEADLINE_EXCEEDED");
  session.Finish().IgnoreError();
}

TEST_CASE("in local mode an object that ends itself stays until its method has returned") {
  for (const bool kill : {false, true}) {
    auto session = Begin(Mode::kLocal, {Cpu("g", 1)});
    auto ender = Must(New<Ender>({.remote_group = "g"}, std::string(100, 'x')));
    const auto ended = ender.End(ender, kill);
    CHECK((kill ? absl::IsAborted(ended.Get().status()) : Result(ended) == std::string(200, 'x')));
    CHECK_FALSE(ender.End(ender, kill).Get().ok());
    session.Finish().IgnoreError();
  }
}

TEST_CASE("a lazy of what cannot be copied is given to one method after the other") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 1)});
  auto mover = Must(New<Mover>({.remote_group = "g"}));
  const auto made = mover.Make();
  CHECK(Result(mover.Take(made)) == 3);
  CHECK(Result(mover.Take(made)) == 3);
  CHECK(made.Get()->numbers.size() == 3);
}

TEST_CASE("an object that a rank makes for itself needs no mesh") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  auto maker = Must(New<MakesMeshed>({.remote_group = "g"}));
  CHECK(Result(maker.Make()));
}

TEST_CASE("options that have a name do not hide where New was called") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  const twinkle::RemoteOptions options{.remote_group = "g"};
  auto ender = Must(New<Ender>(options, "text"));
  auto lazy = Must(New<Mover>(options));
  ender.component().Kill();
  const auto failed = New<Ender>(options, "late");
  const int line = __LINE__ - 1;
  const absl::Status status = Must(failed).component().WaitReady(absl::Seconds(20));
  CHECK_THAT(Told(status), ContainsSubstring("[own_objects_test.cc:" + std::to_string(line) + "]"));
  session.Finish().IgnoreError();
}

}  // namespace
