// How objects are made: constructors, static Create, and what travels to them; where they are made.
#include <twinkle/twinkle.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/session.h"

namespace made {

using twinkle::Execute, twinkle::Lazy, twinkle::Remote;
using List = std::vector<int64_t>;

std::atomic<int> alive = 0;
std::atomic<int> constructed = 0;

class Counted {
 public:
  Counted() {
    ++alive;
    ++constructed;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }
};

struct Config {
  std::string name;
  List sizes;
  std::optional<double> rate;
};

// Has several constructors; tells which one was called with what.
class Plain : Counted {
 public:
  Plain() : how_("nothing") {}
  explicit Plain(int number) : how_("int " + std::to_string(number)) {}
  explicit Plain(const std::string& text) : how_("text " + text) {}
  explicit Plain(std::string_view text, bool flag) : how_("view " + std::string(text) + (flag ? " yes" : " no")) {}
  Plain(Config config, double rate)
      : how_("config " + config.name + " " + std::to_string(config.sizes.size()) + (rate > 0.25 ? " fast" : " slow")) {}
  explicit Plain(const List& list) : how_("list of " + std::to_string(list.size())) {}
  explicit Plain(Remote<Plain> other);  // below: handles are known once the class is declared

  std::string How() { return how_; }

 private:
  const std::string how_;
};
TWINKLE_REMOTE_CLASS(Plain, (), (How))
Plain::Plain(Remote<Plain> other) : how_("handle to " + other.component().name()) {}

// Wants the reference, not what it refers to.
class TakesLazy : Counted {
 public:
  explicit TakesLazy(Lazy<List> lazy) : lazy_(std::move(lazy)) {}
  int64_t Rows() { return twinkle::tests::Must(lazy_.Size()); }

 private:
  const Lazy<List> lazy_;
};
TWINKLE_REMOTE_CLASS(TakesLazy, (), (Rows))

// Both: Create is what is called.
class Created : Counted {
 public:
  explicit Created(std::string how) : how_(std::move(how)) {}
  static absl::StatusOr<std::unique_ptr<Created>> Create(const std::string& text) {
    if (text == "bad") return absl::NotFoundError("cannot be created");
    if (text == "null") return std::unique_ptr<Created>();
    if (text == "throw") throw std::runtime_error("thrown at creation");
    return std::make_unique<Created>("created from " + text);
  }
  std::string How() { return how_; }

 private:
  const std::string how_;
};
TWINKLE_REMOTE_CLASS(Created, (), (How))

// Create may give a shared or a bare pointer, and no status.
class Shared : Counted {
 public:
  static std::shared_ptr<Shared> Create(int64_t number) { return std::shared_ptr<Shared>(new Shared(number)); }
  int64_t Number() { return number_; }

 private:
  explicit Shared(int64_t number) : number_(number) {}
  const int64_t number_;
};
TWINKLE_REMOTE_CLASS(Shared, (), (Number))

class OnFirst : Counted {
 public:
  explicit OnFirst(int64_t number) : number_(number) {}
  List Add(const List& list) {
    List sums = list;
    for (int64_t& item : sums) item += number_;
    return sums;
  }
  int Rank() { return twinkle::Context().rank(); }
  int WorldSize() { return twinkle::Context().world_size(); }

 private:
  const int64_t number_;
};
// A list parameter needs no dispatch here.
namespace first {
class Adder : public OnFirst {
 public:
  using OnFirst::OnFirst;
  int Where() { return Rank(); }
};
TWINKLE_REMOTE_CLASS(Adder, (Execute::kFirst), (Add, twinkle::Collect::kFlatten), (Where), (WorldSize))
}  // namespace first

class Peers : Counted {
 public:
  int Where() { return twinkle::Context().rank(); }
};
TWINKLE_REMOTE_CLASS(Peers, (Execute::kPeer), (Where))

twinkle::tests::Gate gate;
class Slow : Counted {
 public:
  Slow() { gate.Wait(); }
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(Slow, (), (Nothing))

}  // namespace made

namespace {

using namespace twinkle::tests;
using namespace made;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New;

template <class... A>
std::string How(A&&... arguments) {
  auto plain = Must(New<Plain>({.remote_group = "g"}, std::forward<A>(arguments)...));
  return Result(plain.How()).front();
}

TEST_CASE("the constructor that takes the arguments is called, with what literals stand for") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  CHECK(How() == "nothing");
  CHECK(How(7) == "int 7");
  CHECK(How("literal") == "text literal");
  const char* pointer = "pointer";
  CHECK(How(pointer) == "text pointer");
  char buffer[] = "buffer";
  CHECK(How(buffer) == "text buffer");
  CHECK(How(std::string("string")) == "text string");
  CHECK(How("view", true) == "view view yes");
  CHECK(How(std::string_view("view"), false) == "view view no");
  CHECK(How(Config{.name = "c", .sizes = {1, 2}, .rate = 0.5}, 0.5) == "config c 2 fast");
  CHECK(How(Config{}, 0.0f) == "config  0 slow");
  const List list = {1, 2, 3};
  CHECK(How(list) == "list of 3");
}

TEST_CASE("what New was given may change afterwards") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  char buffer[] = "before";
  List list = {1, 2, 3};
  auto text = Must(New<Plain>({.remote_group = "g"}, buffer));
  auto items = Must(New<Plain>({.remote_group = "g"}, list));
  buffer[0] = 'X';
  list.clear();
  CHECK(Result(text.How()).front() == "text before");
  CHECK(Result(items.How()).front() == "list of 3");
}

TEST_CASE("constructors take lazies, as their value or as the reference") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2), Cpu("h", 3)});
  const Lazy<List> put = twinkle::Put(List{1, 2, 3});
  auto adder = Must(New<first::Adder>({.remote_group = "h"}, 10));
  const Lazy<List> made = adder.Add({1, 2});
  CHECK(How(put) == "list of 3");
  CHECK(How(made) == "list of 2");
  CHECK(How(made.Rows(0, 1)) == "list of 1");
  auto reference = Must(New<TakesLazy>({.remote_group = "g"}, made));
  CHECK(Result(reference.Rows()).front() == 2);
  auto value = Must(New<TakesLazy>({.remote_group = "g"}, put));
  CHECK(Result(value.Rows()).front() == 3);
}

TEST_CASE("a lazy argument that failed fails the construction with its cause") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  auto created = Must(New<Created>({.remote_group = "g"}, "bad"));
  const Lazy<std::string> failed = created.Rank(0).How();
  auto plain = Must(New<Plain>({.remote_group = "g"}, failed));
  const absl::Status ready = plain.component().WaitReady(absl::Seconds(60));
  CHECK(ready.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(Told(ready), ContainsSubstring("cannot be created"));
  // Those who call it hear why there is no object.
  CHECK_THAT(Told(plain.How().Get()), ContainsSubstring("NOT_FOUND") && ContainsSubstring("cannot be created"));
}

TEST_CASE("constructors take handles") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 2)});
  auto other = Must(New<Plain>({.remote_group = "g", .name = "other"}));
  CHECK(How(other) == "handle to other");
}

TEST_CASE("static Create goes before constructors, and may fail") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  auto good = Must(New<Created>({.remote_group = "g"}, "text"));
  CHECK(Result(good.How()).front() == "created from text");
  auto shared = Must(New<Shared>({.remote_group = "g"}, 7));
  CHECK(Result(shared.Number()).front() == 7);
  const auto check = [](const char* text, absl::StatusCode code, const char* why) {
    auto bad = Must(New<Created>({.remote_group = "g"}, text));
    const absl::Status ready = bad.component().WaitReady(absl::Seconds(60));
    CHECK(ready.code() == code);
    CHECK_THAT(Told(ready), ContainsSubstring("Created.constructor failed") &&
                                ContainsSubstring("construct_test.cc:") && ContainsSubstring(why));
    CHECK(bad.How().Get().status().code() == code);
  };
  check("bad", absl::StatusCode::kNotFound, "cannot be created");
  check("null", absl::StatusCode::kInternal, "null pointer");
  check("throw", absl::StatusCode::kUnknown, "thrown at creation");
}

TEST_CASE("a kFirst class has one object, on rank 0 of its group, and arguments go whole") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 3)});
  constructed = 0;
  auto adder = Must(New<first::Adder>({.remote_group = "g"}, 10));
  CHECK(Result(adder.Add({1, 2, 3})) == List{11, 12, 13});
  CHECK(Result(adder.Where()) == std::vector<int>{0});
  CHECK(constructed == 1);
  CHECK(adder.component().world_size() == 1);
  CHECK(Result(adder.Rank(0).Where()) == 0);
  CHECK(adder.Rank(1).Where().Get().status().code() == absl::StatusCode::kInvalidArgument);
  // Its process is one of the group all the same.
  CHECK(Result(adder.WorldSize()).front() == (mode == Mode::kLocal ? 1 : 3));
}

TEST_CASE("a kPeer class made by the program is on all ranks") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 3)});
  auto peers = Must(New<Peers>({.remote_group = "g"}));
  CHECK(Result(peers.Where()) == std::vector<int>{0, 1, 2});
}

TEST_CASE("New does not wait for the constructor; WaitReady does, and has a limit") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  const ClosedHere closed(gate);
  auto slow = Must(New<Slow>({.remote_group = "g"}));
  const absl::Status late = slow.component().WaitReady(absl::Milliseconds(1));
  CHECK(late.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK_THAT(Told(late), ContainsSubstring("Slow.constructor"));
  const auto call = slow.Nothing();
  CHECK_FALSE(call.Ready());
  gate.Open();
  CHECK(Told(slow.component().WaitReady(absl::InfiniteDuration())) == "OK");
  CHECK(Told(call.Get()) == "OK");
}

TEST_CASE("without a session New, Find and Put fail with a status") {
  CHECK(New<Plain>({}).status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(twinkle::Find<Plain>("name").status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(twinkle::Put(int64_t{1}).Get().status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(twinkle::Context().world_size() == 1);
  CHECK_THAT(twinkle::DevicePlacement(), ContainsSubstring("Initialize"));
}

TEST_CASE("nothing is left when the session is gone") { CHECK(alive == 0); }

}  // namespace
