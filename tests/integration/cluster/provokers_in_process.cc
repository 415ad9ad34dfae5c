// Failures of calls, arguments, names and handles.
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/provokers.h"
#include "tests/integration/session.h"

namespace failures {

using twinkle::Collect, twinkle::Context, twinkle::Dispatch, twinkle::Remote, twinkle::Timeout;
using List = std::vector<int64_t>;

// In kInProcess, where the ranks are threads of the test.
twinkle::tests::Gate begun;
twinkle::tests::Log<absl::Status> heard;

class Fragile {
 public:
  explicit Fragile(bool broken = false) : broken_(broken) {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(broken_);
    if (broken_) throw std::runtime_error("it cannot be sent");
  }

 private:
  bool broken_;
};

class Policy {
 public:
  Policy() = default;
  explicit Policy(int bad_rank) {
    if (Context().rank() == bad_rank) throw std::runtime_error("no checkpoint");
  }
  absl::Status Greet() { return absl::NotFoundError("nobody to greet"); }
  int64_t Train() { throw std::runtime_error("it does not converge"); }
  List Uneven() { return List(Context().rank() == 0 ? 2 : 1); }
  void Pack() {
    begun.Open();
    twinkle::tests::AwaitCancelled();
  }
  void Limited() { twinkle::tests::AwaitCancelled(); }
  void Send(const Fragile&) {}
  int64_t Score(const List& list) { return static_cast<int64_t>(list.size()); }
};
TWINKLE_REMOTE_CLASS(Policy, (), (Greet), (Train), (Uneven, Collect::kMean), (Pack),
                     (Limited, Timeout{std::chrono::milliseconds(300)}), (Send), (Score, Dispatch::kAll))

class ByMesh {
 public:
  List Generate(const List& prompts) { return prompts; }
};
TWINKLE_REMOTE_CLASS(ByMesh, (), (Generate, Dispatch::kSliceDp, Collect::kFlattenDp))

// Calls a policy, and tells what it heard.
class Sampler {
 public:
  void Run(const Remote<Policy>& policy) { heard.Add(policy.Pack().Get()); }
  void Flood(const Remote<Policy>& policy, int calls) {
    std::vector<twinkle::Lazy<void>> made;
    for (int call = 0; call < calls; ++call) made.push_back(policy.Pack());
    heard.Add(made.back().Get());
    for (const auto& one : made) one.Cancel();
  }
};
TWINKLE_REMOTE_CLASS(Sampler, (), (Run), (Flood))

}  // namespace failures

namespace twinkle::tests {
namespace {

using namespace failures;

constexpr absl::Duration kLong = absl::Seconds(60);

// A session whose ranks are threads, and a policy on two of them.
struct InProcess {
  explicit InProcess(int max_pending_calls = 1000)
      : session(Begin({.mode = Mode::kInProcess,
                       .groups = {Cpu("policy", 2), Cpu("data", 1)},
                       .max_pending_calls = max_pending_calls})) {
    begun.Close();
    heard.Take();
    policy = Must(New<Policy>({.remote_group = "policy", .name = "policy"}));
    Must(policy.component().WaitReady(kLong));
  }
  Session session;
  Remote<Policy> policy;
};

Statuses BadConstructor() {
  const InProcess job;
  auto bad = Must(New<Policy>({.remote_group = "policy"}, 1));
  return {bad.component().WaitReady(kLong)};
}

Statuses CannotBeSplit() {
  const InProcess job;
  auto by_mesh = Must(New<ByMesh>({.remote_group = "policy", .device_mesh = Mesh({.dp = 2})}));
  return {by_mesh.Generate({1}).Get().status()};
}

Statuses WrongMesh() {
  auto session = Begin(Mode::kInProcess, {Cpu("policy", 4)});
  return {New<ByMesh>({.remote_group = "policy", .device_mesh = Mesh({.dp = 4, .tp = 2})}).status()};
}

Statuses FailedArgument() {
  const InProcess job;
  return {job.policy.Score(job.policy.Train()).Get().status()};
}

Statuses WaitsAfterItsEnd() {
  const InProcess job;
  auto sampler = Must(New<Sampler>({.remote_group = "data"}));
  const auto call = sampler.Run(job.policy);
  begun.Wait();
  call.Cancel();
  Statuses told;
  REQUIRE(Eventually([&] { return !(told = heard.Take()).empty(); }));
  return told;
}

Statuses Cancelled() {
  const InProcess job;
  const auto call = job.policy.Pack();
  call.Cancel();
  return {call.Get()};
}

Statuses WaitedTooShort() {
  const InProcess job;
  const auto call = job.policy.Pack();
  const absl::Status status = call.Wait(absl::Milliseconds(1));
  call.Cancel();
  return {status};
}

Statuses Killed() {
  const InProcess job;
  const auto call = job.policy.Pack();
  job.policy.component().Kill();
  return {call.Get(), job.policy.Greet().Get()};
}

Statuses Released() {
  const InProcess job;
  Must(job.policy.component().Release());
  return {job.policy.Greet().Get()};
}

Statuses AfterTheSession() {
  InProcess job;
  Must(job.session.Finish());
  return {job.policy.Greet().Get()};
}

Statuses LazyOfBefore() {
  Lazy<List> kept;
  {
    InProcess before;
    kept = Put(List{1});
    Must(before.session.Finish());
  }
  const InProcess job;
  return {job.policy.Score(kept).Get().status()};
}

Statuses FromAForkedChild() {
  const InProcess job;
  const Folder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const absl::Status refused = New<Policy>({.remote_group = "policy"}).status();
    std::ofstream(folder / "told") << refused.message();
    ::_exit(absl::IsFailedPrecondition(refused) ? 0 : 1);
  }
  int code = -1;
  REQUIRE(::waitpid(child, &code, 0) == child);
  REQUIRE(code == 0);
  std::ifstream file(folder / "told");
  return {absl::FailedPreconditionError(std::string(std::istreambuf_iterator<char>(file), {}))};
}

Statuses TooManyPending() {
  const InProcess job(3);
  auto sampler = Must(New<Sampler>({.remote_group = "data"}));
  Must(sampler.Flood(job.policy, 4).Wait(kLong));
  return heard.Take();
}

}  // namespace

Provokers ProvokersInProcess() {
  return {
      {"method returned a status", {[] { return Statuses{InProcess().policy.Greet().Get()}; }}},
      {"exception left user code", {[] { return Statuses{InProcess().policy.Train().Get().status()}; }}},
      {"constructor failed", {BadConstructor}},
      {"arguments cannot be split", {CannotBeSplit}},
      {"no such group", {[] {
         const InProcess job;
         return Statuses{New<Policy>({.remote_group = "polcy"}).status()};
       }}},
      {"no mesh", {[] {
         const InProcess job;
         return Statuses{New<ByMesh>({.remote_group = "policy"}).status()};
       }}},
      {"the mesh does not fit the group", {WrongMesh}},
      {"results cannot be joined", {[] { return Statuses{InProcess().policy.Uneven().Get().status()}; }}},
      {"a `Lazy` argument failed", {FailedArgument}},
      {"a value's `serialize`, `Codec` or `Slice` threw",
       {[] { return Statuses{InProcess().policy.Send(Fragile(true)).Get()}; }}},
      {"rank that does not exist", {[] { return Statuses{InProcess().policy.Rank(7).Greet().Get()}; }}},
      {"`Timeout` passed", {[] { return Statuses{InProcess().policy.Limited().Get()}; }}},
      {"a method waits (`Get`, `Size`, `Wait`, `WaitAny`, `WaitAll`, `WaitReady`, an iteration) after its own call has "
       "ended",
       {WaitsAfterItsEnd}},
      {"`Cancel()`", {Cancelled}},
      {"`Wait(limit)` passed", {WaitedTooShort}},
      {"`Kill()`, or a rank still in the method `abort_grace` after its call had failed", {Killed}},
      {"component was released", {Released}},
      {"name in use; unknown; of another class", {[] {
         const InProcess job;
         return Statuses{New<Policy>({.remote_group = "policy", .name = "policy"}).status()};
       }}},
      {"session has ended", {AfterTheSession}},
      {"a `Lazy`, a `Put` value or a handle of an ended session is given to a call of the next, or joined with one of "
       "it",
       {LazyOfBefore}},
      {"second `Initialize`, or none", {[] {
         const InProcess job;
         return Statuses{Initialize(0, nullptr, {.mode = Mode::kInProcess}).status()};
       }}},
      {"a child that the program forked without exec uses the session", {FromAForkedChild}},
      {"a method makes a call while `max_pending_calls` others are pending", {TooManyPending}},
  };
}

}  // namespace twinkle::tests
