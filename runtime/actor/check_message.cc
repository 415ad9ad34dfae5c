#include "runtime/actor/check_message.h"

#include "runtime/base/status.h"
#include "runtime/codec/check_rows.h"

namespace twinkle::actor {
namespace {

constexpr uint64_t kLastNumber = uint64_t{1} << 62;
constexpr size_t kLongestPath = 64;  // of members: no value is deeper

absl::Status Wrong(const char* what) { return absl::InvalidArgumentError(what); }

// ---- arguments
absl::Status CheckPiece(const WirePiece& piece) {
  if (piece.path.size() > kLongestPath) return Wrong("a piece of an argument that is too deep in its object");
  if (piece.rows) TWINKLE_RETURN_IF_ERROR(codec::CheckRanges(*piece.rows));
  return codec::CheckRanges(piece.picks);
}
absl::Status CheckJoin(object::Join join) {
  return join <= object::Join::kList ? absl::OkStatus() : Wrong("an argument that is joined in no known way");
}
absl::Status CheckComponent(const ComponentInfo& component) {
  return !component.workers.empty() && !component.domain_workers.empty() ? absl::OkStatus()
                                                                         : Wrong("a component without processes");
}

struct ArgumentCheck {
  absl::Status operator()(const PackedValue&) const { return absl::OkStatus(); }
  absl::Status operator()(const PulledArgument& pulled) const {
    TWINKLE_RETURN_IF_ERROR(CheckJoin(pulled.join));
    for (const WirePiece& piece : pulled.pieces) TWINKLE_RETURN_IF_ERROR(CheckPiece(piece));
    return absl::OkStatus();
  }
  absl::Status operator()(const PlannedArgument& planned) const {
    for (const PlannedPart& part : planned.parts) {
      if (part.target.size() > kLongestPath) return Wrong("a part of an argument that is too deep in it");
      TWINKLE_RETURN_IF_ERROR(codec::CheckRanges(part.order));
      for (const WirePiece& piece : part.pieces) TWINKLE_RETURN_IF_ERROR(CheckPiece(piece));
    }
    return absl::OkStatus();
  }
  absl::Status operator()(const HandleArgument& handle) const { return CheckComponent(handle.component); }
  absl::Status operator()(const LazyArgument& lazy) const {
    TWINKLE_RETURN_IF_ERROR(CheckJoin(lazy.join));
    if (lazy.rows.size() != lazy.objects.size()) return Wrong("a reference with more or fewer rows than objects");
    for (const codec::Rows& rows : lazy.rows) TWINKLE_RETURN_IF_ERROR(codec::CheckRows(rows));
    return lazy.view ? codec::CheckRanges({&*lazy.view, 1}) : absl::OkStatus();
  }
};

// ---- messages
struct MessageCheck {
  template <class Other>
  absl::Status operator()(const Other&) const {
    return absl::OkStatus();
  }
  absl::Status operator()(const CallMessage& call) const {
    if (call.operation > Operation::kDestroy) return Wrong("a call of an unknown kind");
    const size_t constructed = call.operation == Operation::kConstruct ? 1 : 0;
    if (call.info.size() != constructed) return Wrong("a construction of nothing, or of more than one component");
    for (const ComponentInfo& info : call.info) {
      TWINKLE_RETURN_IF_ERROR(CheckComponent(info));
      if (info.id != call.component) return Wrong("a construction of another component");
    }
    for (const WireArgument& argument : call.arguments) {
      TWINKLE_RETURN_IF_ERROR(std::visit(ArgumentCheck{}, argument));
    }
    return absl::OkStatus();
  }
  absl::Status operator()(const ReplyMessage& reply) const {
    if (reply.object == 0 && (reply.carried || !reply.rows.empty())) return Wrong("a result that is no object");
    return reply.rows.empty() ? absl::OkStatus() : codec::CheckRows(reply.rows);
  }
  absl::Status operator()(const PullMessage& pull) const {
    if (pull.selection.path.size() > kLongestPath) return Wrong("a part of an object that is too deep in it");
    if (pull.selection.rows) TWINKLE_RETURN_IF_ERROR(codec::CheckRanges(*pull.selection.rows));
    return codec::CheckRanges(pull.selection.picks);
  }
  absl::Status operator()(const NumberRequest& request) const {
    if (request.members.empty()) return Wrong("numbers of an order that nobody keeps");
    return request.count <= kMostNumbers ? absl::OkStatus() : Wrong("more numbers than there can be calls");
  }
  absl::Status operator()(const NumberGrant& grant) const {
    return grant.count <= kMostNumbers && grant.first <= kLastNumber ? absl::OkStatus()
                                                                     : Wrong("more numbers than there can be calls");
  }
  absl::Status operator()(const RecalledMessage& recalled) const {
    return recalled.next <= kLastNumber ? absl::OkStatus() : Wrong("a number that no call can have");
  }
  absl::Status operator()(const LastReply& reply) const {
    return reply.last <= kLastNumber ? absl::OkStatus() : Wrong("a number that no call can have");
  }
};

}  // namespace

absl::Status CheckMessage(const Message& message) { return std::visit(MessageCheck{}, message); }

}  // namespace twinkle::actor
