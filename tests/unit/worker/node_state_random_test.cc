// Any events in any order.
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/worker/stepped_node.h"

namespace twinkle::worker {
namespace {

// Job 1 of a node, with processes 10 and so on. What happens is what can happen: only who was asked for starts.
class Life {
 public:
  Life(size_t processes, std::mt19937* random) : random_(*random) {
    for (uint64_t id = 10; id < 10 + processes; ++id) processes_.push_back(id);
    node_.Start(1, processes_);
  }

  void Step() {
    if (Chance(2)) {
      StepOfProcess(processes_[random_() % processes_.size()]);
    } else {
      StepOfJob();
    }
    Look();
  }
  // Whatever is left comes to its end.
  void End() {
    Stop(absl::ZeroDuration());
    Look();
    for (uint64_t process : processes_) {
      if (running_.count(process) == 0) node_.state.OnNotStarted(process, "killed", &node_.effects);
      node_.End(process);
    }
    Look();
    leaving_.clear();
    node_.state.OnAllCleared(&node_.effects);
    Look();
  }
  void CheckEnd() {
    CHECK(node_.state.idle());
    for (uint64_t process : processes_) CHECK(Told("exited", process) == 1);
    CHECK(dropped_ == 1);
    CHECK(closed_ == started_.size());
  }

 private:
  bool Chance(unsigned int of) { return random_() % of == 0; }

  void StepOfProcess(uint64_t process) {
    const bool asked = started_.count(process) != 0;
    const bool runs = running_.count(process) != 0;
    switch (random_() % 7) {
      case 0:
        if (!asked || runs || node_.state.FindProcess(process) == nullptr) return;
        running_.insert(process);
        return node_.state.OnStarted(process, 1, &node_.effects);
      case 1:
        if (asked && !runs) node_.state.OnNotStarted(process, "no", &node_.effects);
        return;
      case 2:
        if (runs) node_.End(process);
        return;
      case 3:
        leaving_.erase(process);
        return node_.state.OnCleared(process, &node_.effects);
      case 4:
        awake_ += absl::Minutes(random_() % 40);
        return node_.state.OnGlance(process, {.stopped = !Chance(4), .traced = false, .tracer = 0, .times_paused = 0},
                                    awake_, &node_.effects);
      case 5:
        return node_.state.OnLeft(process, &node_.effects);
      default:
        if (asked) node_.state.OnSaid(process, Listening("x"), &node_.effects);
    }
  }
  void StepOfJob() {
    switch (random_() % 5) {
      case 0:
        return node_.state.OnProgramReady(1, Chance(4) ? absl::UnavailableError("no") : absl::OkStatus(),
                                          &node_.effects);
      case 1:
        return node_.state.OnTimer({static_cast<SetTimer::Kind>(random_() % 3), Chance(2) ? 1 : processes_[0], 1, {}},
                                   &node_.effects);
      case 2:
        if (Chance(4)) node_.state.OnProgramGone(1, &node_.effects);
        return;
      case 3:
        if (Chance(4)) Stop(absl::Seconds(random_() % 2));
        return;
      default:
        if (Chance(8)) node_.state.OnSpawnerGone("gone", &node_.effects);
    }
  }
  void Stop(absl::Duration grace) {
    if (node_.state.FindJob(1) == nullptr) ++stops_of_nothing_;
    node_.state.OnMessage(StopMessage(1, grace), &node_.effects);
  }
  int Told(const std::string& what, uint64_t number) { return told_[what + " " + std::to_string(number)]; }

  // What has come of a step.
  void Look() {
    for (const std::string& text : node_.Told()) ++told_[text];
    for (const StartProcess& one : node_.Take<StartProcess>()) started_.insert(one.process);
    closed_ += node_.Take<CloseProcess>().size();
    dropped_ += static_cast<int>(node_.Take<DropJob>().size());
    for (uint64_t process : processes_) {
      if (node_.state.FindProcess(process) == nullptr && ended_.insert(process).second &&
          running_.count(process) != 0) {
        leaving_.insert(process);
      }
    }
    CheckInvariants();
  }
  void CheckInvariants() {
    for (uint64_t process : processes_) {
      CHECK(Told("exited", process) == static_cast<int>(ended_.count(process)));  // NS1
      if (ended_.count(process) == 0 || leaving_.count(process) != 0)
        CHECK(Told("cleared process", process) == 0);  // NS2
      CHECK(Told("cleared process", process) <= 1);
    }
    CHECK(dropped_ <= 1);                                       // NS3
    CHECK(Told("cleared", 1) == dropped_ + stops_of_nothing_);  // NS2: once, but for those who ask again
    if (dropped_ == 0) return;
    CHECK(ended_.size() == processes_.size());  // NS2: when none is left,
    CHECK(leaving_.empty());                    // nor anything that one had started
  }

  std::mt19937& random_;
  base::Instant awake_;
  Node node_;
  std::vector<uint64_t> processes_;
  std::map<std::string, int> told_;
  std::set<uint64_t> started_, running_, ended_;
  std::set<uint64_t> leaving_;  // of those that have ended: something is there that they had started
  size_t closed_ = 0;
  int dropped_ = 0;
  int stops_of_nothing_ = 0;  // they are answered each
};

TEST_CASE(
    "NS1, NS2, NS3: in whatever order things happen each process is told of once, its job cleared once, after all") {
  const auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    Life life(1 + random() % 4, &random);
    for (int step = 0; step < 40; ++step) life.Step();
    life.End();
    life.CheckEnd();
  }
}

}  // namespace
}  // namespace twinkle::worker
