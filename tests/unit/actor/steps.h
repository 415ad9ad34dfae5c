// Remote classes whose objects note what they do, and jobs of them that a test steps by hand.
#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <twinkle/twinkle.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/random.h"
#include "tests/support/stepped_job.h"

namespace twinkle::actor::steps {

using Texts = std::vector<std::string>;

// What the objects on each rank did, in order, by "group.rank".
inline std::map<std::string, Texts>& Journal() {
  static std::map<std::string, Texts> journal;
  return journal;
}
inline void Note(const std::string& what) {
  const RankContext context = Context();
  Journal()[absl::StrCat(context.group(), ".", context.rank())].push_back(what);
}

// What a Recorder does inside Hook.
inline std::function<void()>& Inside() {
  static std::function<void()> inside;
  return inside;
}

class Recorder {
 public:
  void Add(const std::string& what) { Note(what); }
  void Hook(const std::string& what) {
    Note(what);
    if (Inside()) Inside()();
  }
  void Slow(const std::string& what) { Note(what); }
  std::string Text() { return "text"; }
  std::vector<int64_t> Numbers(int64_t count) {
    std::vector<int64_t> numbers(static_cast<size_t>(count));
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i);
    return numbers;
  }
  void AddCount(const std::vector<int64_t>& numbers) { Note(std::to_string(numbers.size())); }
  void NoteMesh() { Note(absl::StrJoin(Context().device_mesh()->dim_names(), ",")); }
};
TWINKLE_REMOTE_CLASS(Recorder, (), (Add), (Hook), (Slow, Timeout(std::chrono::seconds(2))), (Text, Collect::kFirst),
                     (Numbers, Collect::kFirst), (AddCount, Dispatch::kAll), (NoteMesh))

// On a share of the ranks, where another rank makes it.
class PeerRecorder {
 public:
  void Add(const std::string& what) { Note(what); }
};
TWINKLE_REMOTE_CLASS(PeerRecorder, (Execute::kPeer), (Add))

class WideRecorder {
 public:
  void Add(const std::string& what) { Note(what); }
};
TWINKLE_REMOTE_CLASS(WideRecorder, (MaxConcurrency{2}), (Add))

// Calls others from inside a rank.
class Relay {
 public:
  void Keep(const Remote<Recorder>& recorder) { recorder_ = recorder; }
  void Make(const std::string& group, const std::string& name) {
    recorder_ = New<Recorder>({.remote_group = group, .name = name}).value();
  }
  void MakePeers(const std::string& group) { peers_ = New<PeerRecorder>({.remote_group = group}).value(); }
  void Say(const std::string& what) { said_.push_back(recorder_.Add(what)); }
  void SayTo(int rank, const std::string& what) { said_.push_back(recorder_.Rank(rank).Add(what)); }
  void SayToPeers(const std::string& what) { said_.push_back(peers_.Add(what)); }
  // Notes whether the call had been run when it returned.
  void SayAtOnce(const std::string& what) { Note(recorder_.Add(what).Ready() ? "it was run" : "it was queued"); }
  void SayMesh() { said_.push_back(recorder_.NoteMesh()); }
  void Ask(int64_t count) { asked_ = recorder_.Numbers(count); }
  void Drop() { asked_ = {}; }
  void Look() {
    for (const Lazy<void>& said : said_) said.Wait(absl::ZeroDuration()).IgnoreError();
  }

 private:
  Remote<Recorder> recorder_;
  Remote<PeerRecorder> peers_;
  std::vector<Lazy<void>> said_;
  Lazy<std::vector<int64_t>> asked_;
};
TWINKLE_REMOTE_CLASS(Relay, (), (Keep), (Make), (MakePeers), (Say), (SayTo), (SayToPeers), (SayAtOnce), (SayMesh),
                     (Ask), (Drop), (Look))

// A stepped job with a journal of its own.
class Stage : public tests::SteppedJob {
 public:
  explicit Stage(std::vector<DeviceGroup> groups, absl::Duration abort_grace = absl::Seconds(30))
      : SteppedJob(std::move(groups), abort_grace) {
    Journal().clear();
    Inside() = nullptr;
  }
  ~Stage() { Inside() = nullptr; }

  // A component on that group.
  template <class T>
  Remote<T> Make(const std::string& group, std::optional<DeviceMesh> mesh = std::nullopt) const {
    absl::StatusOr<Remote<T>> made = New<T>({.remote_group = group, .device_mesh = std::move(mesh)});
    INFO(made.status());
    REQUIRE(made.ok());
    return *std::move(made);
  }
  Texts On(const std::string& group, int rank = 0) const { return Journal()[tests::ServiceOf(group, rank)]; }
  // Some steps of queues chosen at random.
  void Steps(tests::Random& random, int count) const {
    for (; count > 0; --count) {
      const std::vector<std::string> ready = executor().Ready();
      if (ready.empty()) return;
      executor().Step(ready[random() % ready.size()]);
    }
  }
  // No call that was made anywhere is still open.
  bool IsIdle() const {
    for (const auto& process : Processes()) {
      if (!process->CallsUnderWay(1).empty()) return false;
    }
    return true;
  }
};

// "policy": three ranks with one lane each, and a recorder on them that the program made; "callers": one rank, and a
// relay on it that knows the recorder.
struct TwoCallers : Stage {
  static constexpr int kRanks = 3;

  explicit TwoCallers(absl::Duration abort_grace = absl::Seconds(30))
      : Stage({tests::DevicesGroup("policy", kRanks), tests::CpuGroup("callers", 1)}, abort_grace) {
    relay.Keep(recorder);
    Run();
  }
  const std::vector<std::string> lanes = tests::LanesOf("policy", kRanks);
  const Remote<Recorder> recorder = Make<Recorder>("policy");
  const Remote<Relay> relay = Make<Relay>("callers");

  // Every rank of "policy" did just that, in that order.
  bool AllDid(const Texts& what) const {
    for (int rank = 0; rank < kRanks; ++rank) {
      if (On("policy", rank) != what) return false;
    }
    return true;
  }
};

}  // namespace twinkle::actor::steps
