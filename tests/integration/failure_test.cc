// What a failed call says: which method, on which rank of which group, where that is, who called, and why.
#include <absl/strings/cord.h>
#include <twinkle/twinkle.h>

#include <atomic>
#include <climits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/integration/session.h"

namespace failing {

using twinkle::Collect, twinkle::Dispatch, twinkle::Execute, twinkle::Lazy, twinkle::Remote;
using List = std::vector<int64_t>;

std::atomic<int> runs = 0;

// serialize() is the user's code too.
class Fragile {
 public:
  Fragile() = default;
  explicit Fragile(int number) : number_(number) {}
  int number() const { return number_; }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_);
    if (number_ == 13) throw std::runtime_error("thirteen cannot be sent");
  }

 private:
  int number_ = 0;
};

struct Odd {};

class Worker {
 public:
  Worker() = default;
  explicit Worker(int bad_rank) {
    if (twinkle::Context().rank() == bad_rank) throw std::runtime_error("cannot be made");
  }
  absl::Status Refuse(int rank, const std::string& why) {
    if (twinkle::Context().rank() != rank) return absl::OkStatus();
    absl::Status status = absl::ResourceExhaustedError(why);
    status.SetPayload("example.com/detail", absl::Cord("the user's own"));
    return status;
  }
  absl::StatusOr<int64_t> RefuseValue(int rank) {
    if (twinkle::Context().rank() == rank) return absl::PermissionDeniedError("not you");
    return 1;
  }
  int64_t Throw(int rank) {
    if (twinkle::Context().rank() == rank) throw std::out_of_range("far out");
    return 1;
  }
  void ThrowOther() { throw 42; }
  void ThrowOdd() { throw Odd{}; }
  int64_t ThrowStatus() { return absl::StatusOr<int64_t>(absl::DataLossError("gone")).value(); }
  int Echo(const Fragile& fragile) { return fragile.number(); }
  Fragile Make(int number) { return Fragile(number); }
  List Rows(const List& list) {
    ++runs;
    return list;
  }
  int64_t Whole(const List&) {
    ++runs;
    return 0;
  }
  absl::Status Relay(const Remote<Worker>& other);
};
TWINKLE_REMOTE_CLASS(Worker, (), (Refuse), (RefuseValue), (Throw), (ThrowOther), (ThrowOdd), (ThrowStatus), (Echo),
                     (Make), (Whole, Dispatch::kAll), (Relay))
absl::Status Worker::Relay(const Remote<Worker>& other) { return other.Refuse(0, "relayed").Get(); }

template <class T>
class Generic {
 public:
  void Throw() { throw std::runtime_error("generic"); }
};
using GenericInt = Generic<int>;
TWINKLE_REMOTE_CLASS(GenericInt, (), (Throw))

class ByMesh : public Worker {};
TWINKLE_REMOTE_CLASS(ByMesh, (), (Rows, Dispatch::kSliceDp, Collect::kFlattenDp))
class First {
 public:
  First() { throw std::runtime_error("first cannot be made"); }
  void Nothing() {}
};
TWINKLE_REMOTE_CLASS(First, (Execute::kFirst), (Nothing))

}  // namespace failing

namespace {

using namespace twinkle::tests;
using namespace failing;
using Catch::Matchers::ContainsSubstring;
using twinkle::Mode, twinkle::New;

std::string Place() {
  char host[HOST_NAME_MAX + 1] = {};
  gethostname(host, sizeof(host) - 1);
  return std::string(host) + ", pid " + std::to_string(getpid());
}
// What stands before the cause.
std::string On(const std::string& method, int rank, int line, const std::string& group = "g") {
  return method + " failed on rank " + std::to_string(rank) + " of group '" + group + "' (" + Place() +
         ") [failure_test.cc:" + std::to_string(line) + "]: ";
}
// In local mode: the one object stands for rank 0.
std::string Here(const std::string& method, int line) { return On(method, 0, line); }
std::string Detail(const absl::Status& status) {
  const auto detail = status.GetPayload("twinkle.v1.ErrorDetail");
  return detail ? std::string(*detail) : "none";
}

TEST_CASE("a status that a method returns keeps its code, message and payloads, and says where") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 3)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  const int rank = local ? 0 : 2;
  const auto refused = worker.Refuse(rank, "no room");
  const int line = __LINE__ - 1;
  const absl::Status status = refused.Get();
  const std::string where = local ? Here("Worker.Refuse", line) : On("Worker.Refuse", 2, line);
  CHECK(Told(status) == "RESOURCE_EXHAUSTED: " + where + "no room");
  CHECK(status.GetPayload("example.com/detail") == absl::Cord("the user's own"));
  for (const std::string& fact : {std::string(R"("method":"Refuse")"), std::string(R"("file":"failure_test.cc")"),
                                  R"("line":)" + std::to_string(line), std::string(R"("class":"failing::Worker")"),
                                  R"("rank":)" + std::to_string(rank), std::string(R"("group":"g")")}) {
    CHECK_THAT(Detail(status), ContainsSubstring(fact));
  }
  CHECK_THAT(Detail(status), ContainsSubstring(R"("place":")" + Place() + '"'));

  const auto value = worker.RefuseValue(0);
  const int line_of_value = __LINE__ - 1;
  CHECK(Told(value.Get()) ==
        "PERMISSION_DENIED: " +
            (local ? Here("Worker.RefuseValue", line_of_value) : On("Worker.RefuseValue", 0, line_of_value)) +
            "not you");
  CHECK(value.Size().status() == value.Get().status());
  CHECK(value.Wait(absl::Seconds(60)) == value.Get().status());
  const auto one = worker.Rank(rank).RefuseValue(rank);
  const int line_of_one = __LINE__ - 1;
  CHECK(Told(one.Get()) ==
        "PERMISSION_DENIED: " +
            (local ? Here("Worker.RefuseValue", line_of_one) : On("Worker.RefuseValue", 2, line_of_one)) + "not you");
  CHECK(Told(worker.Refuse(7, "nobody").Get()) == "OK");  // the component goes on
}

TEST_CASE("the payload is JSON, whatever the names") {
  const std::string group = "a \"quoted\\name\"";
  auto session = Begin(Mode::kInProcess, {Cpu(group, 1)});
  auto worker = Must(New<Worker>({.remote_group = group}));
  CHECK_THAT(Detail(worker.ThrowOther().Get()), ContainsSubstring(R"("group":"a \"quoted\\name\"")"));
}

TEST_CASE("what a method throws is Unknown with its what()") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {Cpu("g", 3)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  const int rank = local ? 0 : 1;
  const auto thrown = worker.Throw(rank);
  const int line = __LINE__ - 1;
  CHECK(Told(thrown.Get()) ==
        "UNKNOWN: " + (local ? Here("Worker.Throw", line) : On("Worker.Throw", 1, line)) + "far out");
  const auto other = worker.ThrowOther();
  CHECK(other.Get().code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(other.Get()),
             ContainsSubstring("Worker.ThrowOther failed") && ContainsSubstring("it threw an int: 42"));
  CHECK_THAT(Told(worker.ThrowOdd().Get()),
             ContainsSubstring("it threw something of type ") && ContainsSubstring("Odd, which is no std::exception"));
  const auto bad_access = worker.ThrowStatus();
  CHECK_THAT(Told(bad_access.Get()), ContainsSubstring("Worker.ThrowStatus failed") && ContainsSubstring("gone"));
  CHECK(Result(worker.Throw(7)).front() == 1);
}

TEST_CASE("what serialize throws is Unknown with its what(), on either side") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto worker = Must(New<Worker>({.remote_group = "g"}));
  CHECK(Result(worker.Echo(Fragile(1))) == std::vector<int>{1, 1});
  const auto argument = worker.Echo(Fragile(13));
  CHECK(argument.Get().status().code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(argument.Get()), ContainsSubstring("Worker.Echo") && ContainsSubstring("failure_test.cc:") &&
                                       ContainsSubstring("thirteen cannot be sent"));
  const auto result = worker.Make(13);
  CHECK(result.Get().status().code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(result.Get()), ContainsSubstring("Worker.Make") && ContainsSubstring("thirteen cannot be sent"));
  CHECK(Result(worker.Echo(Fragile(2))) == std::vector<int>{2, 2});
}

TEST_CASE("the class is told by its short name, its arguments left out") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  auto session = Begin(mode, {Cpu("g", 1)});
  auto generic = Must(New<GenericInt>({.remote_group = "g"}));
  CHECK_THAT(Told(generic.Throw().Get()), ContainsSubstring("UNKNOWN: Generic.Throw failed"));
}

TEST_CASE("a failure that is handed on says both where it came from and through whom") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 1), Cpu("h", 1)});
  auto outer = Must(New<Worker>({.remote_group = "g"}));
  auto inner = Must(New<Worker>({.remote_group = "h"}));
  const auto relayed = outer.Relay(inner);
  const std::string line = "failure_test.cc:" + std::to_string(__LINE__ - 1);
  CHECK(relayed.Get().code() == absl::StatusCode::kResourceExhausted);
  CHECK_THAT(Told(relayed.Get()), ContainsSubstring("Worker.Relay failed") && ContainsSubstring(line) &&
                                      ContainsSubstring("Worker.Refuse failed") && ContainsSubstring("relayed"));
  CHECK(relayed.Get().GetPayload("example.com/detail") == absl::Cord("the user's own"));
}

TEST_CASE("a constructor that fails on one rank fails WaitReady and every call, with its cause") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  const bool local = mode == Mode::kLocal;
  auto session = Begin(mode, {GENERATE(Cpu("g", 3), Devices("g", 3))});
  auto worker = Must(New<Worker>({.remote_group = "g"}, local ? 0 : 1));
  const int line = __LINE__ - 1;
  const auto call = worker.Throw(7);
  const std::string cause =
      (local ? Here("Worker.constructor", line) : On("Worker.constructor", 1, line)) + "cannot be made";
  const absl::Status ready = worker.component().WaitReady(absl::Seconds(60));
  CHECK(Told(ready) == "UNKNOWN: " + cause);
  CHECK_THAT(Detail(ready), ContainsSubstring(R"("method":"constructor")"));
  CHECK(call.Get().status().code() == absl::StatusCode::kUnknown);
  CHECK_THAT(Told(call.Get()), ContainsSubstring(cause));
  CHECK_THAT(Told(worker.Rank(local ? 0 : 1).Throw(7).Get()), ContainsSubstring(cause));
  CHECK(Told(worker.component().WaitReady(absl::Seconds(60))) == Told(ready));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("a handle that was found tells of the constructor's failure too") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 2)});
  auto made = Must(New<First>({.remote_group = "g", .name = "first"}));
  auto found = Must(twinkle::Find<First>("first"));
  CHECK_THAT(Told(found.component().WaitReady(absl::Seconds(60))),
             ContainsSubstring("First.constructor failed") && ContainsSubstring("first cannot be made"));
  CHECK_THAT(Told(found.Nothing().Get()), ContainsSubstring("first cannot be made"));
  CHECK(Told(session.Finish()) == "OK");  // the caller was told
}

TEST_CASE("an argument that cannot be split is InvalidArgument before anything is sent") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2)});
  auto by_mesh = Must(New<ByMesh>({.remote_group = "g", .device_mesh = Mesh({.dp = 2})}));
  runs = 0;
  const auto few = by_mesh.Rows({1});
  const std::string line = "failure_test.cc:" + std::to_string(__LINE__ - 1);
  CHECK(few.Get().status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(few.Get()), ContainsSubstring("ByMesh.Rows [" + line + "]") && ContainsSubstring("argument 1") &&
                                  ContainsSubstring("1 row,") && ContainsSubstring("at least 2"));
  CHECK(runs == 0);
  CHECK(Result(by_mesh.Rows({1, 2})) == List{1, 2});
  CHECK(runs == 2);
}

TEST_CASE("no mesh and unknown groups are InvalidArgument from New") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 2), Cpu("h", 1)});
  const auto no_mesh = New<ByMesh>({.remote_group = "g"});
  CHECK(no_mesh.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(no_mesh), ContainsSubstring("ByMesh.Rows") && ContainsSubstring("mesh_required"));
  const auto unknown = New<Worker>({.remote_group = "x"});
  CHECK(unknown.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Told(unknown), ContainsSubstring("'x'") && ContainsSubstring("g, h"));
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE("the caller's line is that of the call, also from New and of one rank") {
  auto session = Begin(Mode::kInProcess, {Cpu("g", 1)});
  // clang-format off
  auto worker = Must(New<Worker>({.remote_group = "g"},
                                 0));
  const std::string made = "failure_test.cc:" + std::to_string(__LINE__ - 2);
  // clang-format on
  CHECK_THAT(Told(worker.component().WaitReady(absl::Seconds(60))), ContainsSubstring(made));
}

}  // namespace
