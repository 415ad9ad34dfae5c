// A worker process between a daemon that says what the test wants, one word after the other, and a job whose other
// processes are in this one. Numbers are those of the invariants in worker.h.
#include "client/src/worker.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/rpc/protocol.h"
#include "tests/support/catch.h"
#include "tests/support/stepped_job.h"

namespace twinkle::internal {
namespace {

using Texts = std::vector<std::string>;

// Says when it is destroyed.
class Guest {
 public:
  explicit Guest(std::string name) : name_(std::move(name)) { Seen().push_back(name_ + " is made"); }
  ~Guest() { Seen().push_back(name_ + " is destroyed"); }
  std::string Name() { return name_; }
  static Texts& Seen() {
    static auto* const seen = new Texts;  // by one lane, and by the test before and after it
    return *seen;
  }

 private:
  const std::string name_;
};
TWINKLE_REMOTE_CLASS(Guest, (), (Name, Collect::kFirst))

std::string SessionWithSeed(uint64_t seed) {
  WorkerSession session;
  session.seed = seed;
  return EncodeSession(session);
}

// The worker is rank 0 of a job whose program is the test.
class Stage {
 public:
  Stage() : job_(std::in_place, Options()), ends_(*rpc::SocketPair()) {
    Guest::Seen().clear();
    worker_ = std::make_unique<Worker>(ends_.second.get(),
                                       [this](const v1::WorkerRole& role, const WorkerSession& session, EndGroup end) {
                                         return Join(role, session, std::move(end));
                                       });
  }

  Worker& worker() { return *worker_; }
  tests::InstalledJob& job() { return *job_; }
  // What the daemon says; the worker hears it when it looks.
  void Say(const v1::ToWorker& message) const { REQUIRE(rpc::SendMessage(ends_.first.get(), message).ok()); }
  void LetDaemonEnd() { ends_.first.Reset(); }
  // What the worker has told the daemon and was not looked at; nothing: nothing.
  std::optional<v1::FromWorker> Told() {
    ::fcntl(ends_.first.get(), F_SETFL, O_NONBLOCK);
    if (reader_ == nullptr) reader_ = std::make_unique<rpc::MessageReader>(ends_.first.get());
    v1::FromWorker message;
    const absl::StatusOr<bool> read = reader_->Next(&message);
    return read.ok() && *read ? std::optional(message) : std::nullopt;
  }
  void BeginAs(const std::string& group) {
    Say(Role(group));
    REQUIRE(worker_->Begin().ok());
    REQUIRE(Told().has_value());
  }

  static v1::ToWorker Role(const std::string& group, const std::string& session = SessionWithSeed(42)) {
    v1::ToWorker message;
    message.mutable_role()->set_protocol(rpc::kProtocol);
    message.mutable_role()->mutable_process()->set_group(group);
    message.mutable_role()->mutable_job()->set_session(session);
    return message;
  }
  static v1::ToWorker Stop() {
    v1::ToWorker message;
    message.mutable_stop()->set_job(1);
    return message;
  }

  absl::Status refusal;  // of joining
  EndGroup end_group;
  Texts heard;  // of the job's processes

 private:
  static actor::InProcessOptions Options() {
    actor::InProcessOptions options;
    options.groups = {tests::CpuGroup("pool", 1)};
    options.process.place = "here";
    return options;
  }
  absl::StatusOr<Membership> Join(const v1::WorkerRole& role, const WorkerSession& session, EndGroup end) {
    heard.push_back(absl::StrCat("joins as ", role.process().group(), " with seed ", session.seed));
    if (!refusal.ok()) return refusal;
    end_group = std::move(end);
    Membership membership;
    membership.endpoint.set_socket("unix-abstract:worker");
    membership.process = job_->job().process(job_->Id("pool"));
    membership.introduce = [this](const v1::Process& peer) { heard.push_back(absl::StrCat("meets ", peer.id())); };
    membership.lose = [this](const v1::PeersLost& lost) {
      for (const auto& loss : lost.losses()) heard.push_back(absl::StrCat("loses ", loss.process()));
    };
    return membership;
  }

  std::optional<tests::InstalledJob> job_;
  std::pair<base::Fd, base::Fd> ends_;  // the daemon's, the worker's
  std::unique_ptr<rpc::MessageReader> reader_;
  std::unique_ptr<Worker> worker_;
};

TEST_CASE("WK1: a worker process joins as it is told, and then says once where it listens") {
  Stage stage;
  CHECK_FALSE(stage.Told().has_value());
  stage.Say(Stage::Role("pool"));
  REQUIRE(stage.worker().Begin().ok());
  CHECK(stage.heard == Texts{"joins as pool with seed 42"});
  CHECK(stage.Told().value_or(v1::FromWorker()).listening().socket() == "unix-abstract:worker");
  CHECK_FALSE(stage.Told().has_value());
}

TEST_CASE("a worker process whose library speaks another protocol than its node daemon does not join") {
  Stage stage;
  v1::ToWorker role = Stage::Role("pool");
  role.mutable_role()->set_protocol(rpc::kProtocol + 1);
  stage.Say(role);
  const absl::Status refused = stage.worker().Begin();
  CHECK(absl::IsFailedPrecondition(refused));
  CHECK(refused.message() ==
        "the program's library speaks protocol 1, and the node's twinkle-worker protocol 2: install one build of "
        "Twinkle on all machines");
  CHECK(stage.heard.empty());
}

TEST_CASE("WK1: a worker process that cannot join says why, and the daemon hears nothing of it") {
  Stage stage;
  stage.refusal = absl::ResourceExhaustedError("no threads");
  stage.Say(Stage::Role("pool"));
  CHECK(stage.worker().Begin() == stage.refusal);
  CHECK_FALSE(stage.Told().has_value());
}

TEST_CASE("WK1: who is not told what it is joins nothing") {
  {
    Stage stage;
    stage.Say(Stage::Stop());
    CHECK(absl::IsInternal(stage.worker().Begin()));
    CHECK(stage.heard.empty());
  }
  {
    Stage stage;
    stage.Say(Stage::Role("pool", "no session"));
    CHECK_FALSE(stage.worker().Begin().ok());
    CHECK(stage.heard.empty());
  }
  {
    Stage stage;
    stage.LetDaemonEnd();
    CHECK(absl::IsUnavailable(stage.worker().Begin()));
    CHECK(stage.heard.empty());
  }
}

TEST_CASE("WK2: who there is and who is lost is told to its part of the job, in the daemon's order") {
  Stage stage;
  stage.BeginAs("pool");
  v1::ToWorker peers;
  for (const uint64_t id : {7, 8}) peers.mutable_peers()->add_processes()->set_id(id);
  v1::ToWorker lost;
  lost.mutable_lost()->add_losses()->set_process(8);
  for (const v1::ToWorker& message : {peers, lost, Stage::Stop()}) stage.Say(message);
  CHECK(stage.worker().Serve().ok());
  CHECK(stage.heard == Texts{"joins as pool with seed 42", "meets 7", "meets 8", "loses 8"});
}

TEST_CASE("WK3: a component that was made on it serves, and is destroyed when the daemon says stop") {
  Stage stage;
  stage.BeginAs("pool");
  const auto guest = New<Guest>({.remote_group = "pool"}, "one");
  REQUIRE(guest.ok());
  CHECK(guest->Name().Get().value() == "one");
  stage.Say(Stage::Stop());
  CHECK(stage.worker().Serve().ok());
  CHECK_FALSE(stage.worker().left_threads());
  CHECK(Guest::Seen() == Texts{"one is made", "one is destroyed"});
}

TEST_CASE("WK3: without a daemon nothing is ended: that is for whoever called") {
  Stage stage;
  stage.BeginAs("pool");
  const auto guest = New<Guest>({.remote_group = "pool"}, "one");
  REQUIRE(guest.ok());
  CHECK(guest->Name().Get().value() == "one");
  stage.LetDaemonEnd();
  CHECK(absl::IsUnavailable(stage.worker().Serve()));
  CHECK(Guest::Seen() == Texts{"one is made"});
  CHECK(guest->Name().Get().value() == "one");
}

TEST_CASE("a process that gives up on a group tells the daemon which, and why, at no more than a message's length") {
  Stage stage;
  stage.BeginAs("pool");
  stage.end_group(7, "policy", absl::UnavailableError(std::string(100'000, 'x')));
  const v1::FromWorker told = stage.Told().value_or(v1::FromWorker());
  CHECK(told.end_group().group() == "policy");
  CHECK(told.end_group().cause().substr(0, 2) == "xx");
  CHECK(told.end_group().cause().size() < 10'000);
}

}  // namespace
}  // namespace twinkle::internal
