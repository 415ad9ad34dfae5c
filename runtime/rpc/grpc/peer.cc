#include "runtime/rpc/grpc/peer.h"

#include <absl/strings/str_cat.h>

#include "runtime/base/log.h"

namespace twinkle::rpc {
namespace {

const char* NameOf(GrpcPeer::State state) {
  switch (state) {
    case GrpcPeer::State::kNew:
      return "new";
    case GrpcPeer::State::kOpen:
      return "open";
    case GrpcPeer::State::kBroken:
      return "broken";
    case GrpcPeer::State::kLost:
      return "lost";
  }
  return "?";
}

}  // namespace

bool GrpcPeer::To(State next) {
  if (lost() || next == state_ || next == State::kNew) return false;
  base::Log(base::LogLevel::kDebug, absl::StrCat("process ", id_, ": ", NameOf(state_), " -> ", NameOf(next), " ",
                                                 next == State::kOpen ? "" : why.message()));
  state_ = next;
  if (next == State::kBroken) redial.Begin();
  if (next != State::kBroken) probe.reset();
  return true;
}

void GrpcPeer::Introduce(GrpcTransport::Introduction introduction) {
  if (introduction.target.empty()) return;
  introduction_ = std::move(introduction);
  whereabouts_ = Whereabouts::kKnown;
}

bool GrpcPeer::Ask() {
  if (whereabouts_ != Whereabouts::kUnknown) return false;
  whereabouts_ = Whereabouts::kAsked;
  return true;
}

void GrpcPeer::AskedInVain() {
  if (whereabouts_ == Whereabouts::kAsked) whereabouts_ = Whereabouts::kUnknown;
}

}  // namespace twinkle::rpc
