#include "runtime/rpc/grpc/redial.h"

#include <algorithm>
#include <utility>

namespace twinkle::rpc {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestBetweenDials = absl::Seconds(5);
constexpr int kUnknownIsSilence = 10;  // time in which a machine cannot be asked counts by this factor less

}  // namespace

void Redial::Begin() {
  decisions_ = 0;
  machine_ = Machine::kSilent;
  silent_ = refused_ = since_dial_ = between_dials_ = absl::ZeroDuration();
}

absl::Duration Redial::Pause() const { return decisions_ == 0 ? kFirstPause : kPause; }

Redial::Action Redial::Decide(Machine machine, bool dialling) {
  const absl::Duration passed = Pause();
  ++decisions_;
  silent_ += machine == Machine::kUnknown ? passed / kUnknownIsSilence : passed;
  if (machine == Machine::kHasIt) silent_ = absl::ZeroDuration();
  refused_ = machine == Machine::kRefuses ? refused_ + passed : absl::ZeroDuration();
  since_dial_ += passed;
  const bool is_back = machine == Machine::kHasIt && std::exchange(machine_, machine) != machine;
  machine_ = machine;
  if (is_back) between_dials_ = absl::ZeroDuration();
  if (refused_ >= std::min(limits_.verdict, limits_.silence)) return Action::kLoseGone;
  if (silent_ >= limits_.silence) return Action::kLoseSilent;
  if (dialling || since_dial_ < between_dials_) return Action::kWait;
  since_dial_ = absl::ZeroDuration();
  between_dials_ = std::clamp(2 * between_dials_, kPause, kLongestBetweenDials);
  return Action::kDial;
}

}  // namespace twinkle::rpc
