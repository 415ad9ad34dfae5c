// A group that is killed ends alike in every mode: all its components, what is under way and what comes later.
#include <twinkle/twinkle.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/integration/session.h"

namespace group_end {

using twinkle::Collect, twinkle::Remote;
using List = std::vector<int64_t>;

class Worker {
 public:
  explicit Worker(int64_t start) : start_(start) {}
  static absl::StatusOr<std::unique_ptr<Worker>> Create(int64_t start) {
    if (start < 0) return absl::OutOfRangeError("negative start");
    return std::make_unique<Worker>(start);
  }
  List Get() { return {start_}; }

 private:
  const int64_t start_;
};
TWINKLE_REMOTE_CLASS(Worker, (), (Get, Collect::kFlatten))

}  // namespace group_end

namespace {

using namespace twinkle::tests;
using namespace group_end;
using Catch::Matchers::ContainsSubstring, Catch::Matchers::StartsWith;
using twinkle::Mode, twinkle::New;

struct Job {
  Job()
      : mode(GENERATE(Mode::kLocal, Mode::kInProcess)),
        session(Begin({.mode = mode, .groups = {Cpu("g", 2), Cpu("h", 1)}})),
        worker(Must(New<Worker>({.remote_group = "g", .name = "worker"}, 1))),
        beside(Must(New<Worker>({.remote_group = "g", .instance_id = "beside"}, 2))),
        other(Must(New<Worker>({.remote_group = "h"}, 3))) {
    for (const auto& one : {worker, beside, other}) Must(one.component().WaitReady(absl::Seconds(60)));
  }
  Mode mode;
  twinkle::Session session;
  Remote<Worker> worker, beside, other;
};

// "Worker.Get failed on rank 0 of group 'g' (host, pid 1) [file:2]: group 'g' was aborted: Worker.component().Kill()"
void CheckAborted(const absl::Status& status, const std::string& method) {
  CHECK_THAT(Told(status),
             StartsWith("ABORTED: Worker." + method + " failed on rank 0 of group 'g' (") &&
                 ContainsSubstring("]: group 'g' was aborted: Worker.component().Kill() [group_end_test.cc:"));
  const auto detail = twinkle::GetErrorDetail(status);
  REQUIRE(detail.has_value());
  CHECK(detail->method == method);
  CHECK(detail->group == "g");
}

void CheckAllAborted(const Job& job) {
  const auto found = Must(twinkle::Find<Worker>("worker"));
  const auto same = Must(New<Worker>({.remote_group = "g", .instance_id = "beside"}, 2));
  for (const auto& handle : {job.worker, job.beside, found, same}) {
    CheckAborted(handle.Get().Get().status(), "Get");
    CheckAborted(handle.Rank(0).Get().Get().status(), "Get");
    CheckAborted(handle.component().WaitReady(absl::Seconds(60)), "WaitReady");
  }
  CHECK(Result(job.other.Get()) == List{3});
  CHECK(Told(job.other.component().WaitReady(absl::Seconds(60))) == "OK");
}

TEST_CASE("Kill of one component ends all of its group, and no other") {
  Job job;
  CAPTURE(NameOf(job.mode));
  job.worker.component().Kill();
  CheckAllAborted(job);
  job.beside.component().Kill();  // again: the first reason stays
  CheckAllAborted(job);
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("what is made in a killed group is not constructed, and says why") {
  Job job;
  CAPTURE(NameOf(job.mode));
  job.worker.component().Kill();
  const auto late = Must(New<Worker>({.remote_group = "g", .name = "late"}, -1));
  CheckAborted(late.component().WaitReady(absl::Seconds(60)), "constructor");
  CheckAborted(late.Get().Get().status(), "Get");
  CHECK(New<Worker>({.remote_group = "g", .name = "late"}, 1).status().code() == absl::StatusCode::kAlreadyExists);
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("a component of a killed group can be released: its name is free, its calls stay Aborted") {
  Job job;
  CAPTURE(NameOf(job.mode));
  job.worker.component().Kill();
  CHECK(Told(job.worker.component().Release()) == "OK");
  CHECK(twinkle::Find<Worker>("worker").status().code() == absl::StatusCode::kNotFound);
  CheckAborted(job.worker.Get().Get().status(), "Get");
  CHECK(Result(Must(New<Worker>({.remote_group = "h", .name = "worker"}, 4)).Get()) == List{4});
  CHECK(Told(job.session.Finish()) == "OK");
}

TEST_CASE("a constructor's failure is told once, by WaitReady and by every call") {
  const Mode mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  auto session = Begin(mode, {Cpu("g", 1)});
  const auto worker = Must(New<Worker>({.remote_group = "g"}, -1));
  const std::string ready = Told(worker.component().WaitReady(absl::Seconds(60)));
  CHECK_THAT(ready, StartsWith("OUT_OF_RANGE: Worker.constructor failed on rank 0 of group 'g' (") &&
                        ContainsSubstring("]: negative start"));
  CHECK(Told(worker.Get().Get()) == ready);
  CHECK(Told(worker.Rank(0).Get().Get()) == ready);
  CHECK(Told(session.Finish()) == "OK");
}

}  // namespace
