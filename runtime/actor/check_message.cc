#include "runtime/actor/check_message.h"

#include <algorithm>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/codec/check_rows.h"
#include "runtime/object/row_plan.h"

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
absl::Status CheckComponent(const ComponentInfo& component) {
  return !component.workers.empty() && !component.domain_workers.empty() ? absl::OkStatus()
                                                                         : Wrong("a component without processes");
}

// ---- references
absl::Status CheckSource(const WireSource& source) {
  if (source.path.size() > kLongestPath) return Wrong("a source of a reference that is too deep in its object");
  if (!source.item) return codec::CheckRows(source.rows);
  return source.rows.empty() ? absl::OkStatus() : Wrong("an item with rows of its own");
}

// That whole sources are a value, one after another.
absl::Status CheckWhole(const std::vector<WireSource>& sources) {
  const auto items = std::count_if(sources.begin(), sources.end(), [](const WireSource& one) { return one.item; });
  const bool members = std::any_of(sources.begin(), sources.end(), [](const auto& one) { return !one.path.empty(); });
  if (members || (items > 0 && static_cast<size_t>(items) < sources.size())) {
    return Wrong("a reference to sources that make no value");
  }
  if (items > 0 || sources.size() < 2) return absl::OkStatus();
  std::vector<codec::Rows> rows;
  rows.reserve(sources.size());
  for (const WireSource& source : sources) rows.push_back(source.rows);
  return object::CanConcat(rows) ? absl::OkStatus() : Wrong("a reference to sources that cannot be joined");
}

// What can be taken of a source.
struct Takes {
  bool rows = false;  // else all of it
  int64_t count = 0;  // of rows; -1: it has no one number of them
};
Takes TakesOf(const WireSource& source) {
  if (source.item) return {true, 1};
  if (codec::LeafCount(source.rows) == 0) return {};
  const absl::StatusOr<int64_t> rows = codec::CommonRows(source.rows);
  return {true, rows.ok() ? *rows : -1};
}

// The rows of a part; -1: it makes no sense.
int64_t RowsOfPart(const object::PlanPart& part, const std::vector<Takes>& sources) {
  if (part.runs.empty() || part.target.size() > kLongestPath || (part.whole && part.runs.size() > 1)) return -1;
  int64_t rows = 0;
  for (const object::Run& run : part.runs) {
    const bool there = run.source < sources.size() && run.begin >= 0 && run.begin <= run.end &&
                       run.end <= sources[run.source].count && run.end - run.begin <= codec::kMostRows - rows;
    if (!there || sources[run.source].rows == part.whole) return -1;
    rows += run.end - run.begin;
  }
  return rows;
}

// No part is within another.
absl::Status CheckTargets(const std::vector<object::PlanPart>& parts) {
  std::vector<const std::vector<uint32_t>*> targets;
  targets.reserve(parts.size());
  for (const object::PlanPart& part : parts) targets.push_back(&part.target);
  std::sort(targets.begin(), targets.end(), [](const auto* a, const auto* b) { return *a < *b; });
  for (size_t i = 1; i < targets.size(); ++i) {  // what is within another comes right after it, or one like it
    const std::vector<uint32_t>& outer = *targets[i - 1];
    const std::vector<uint32_t>& inner = *targets[i];
    if (outer.size() <= inner.size() && std::equal(outer.begin(), outer.end(), inner.begin())) {
      return Wrong("a reference with a part within another");
    }
  }
  return absl::OkStatus();
}

// That it is a plan as LazyPlan says.
absl::Status CheckPlan(const LazyArgument& lazy) {
  std::vector<Takes> sources;
  sources.reserve(lazy.sources.size());
  for (const WireSource& source : lazy.sources) sources.push_back(TakesOf(source));
  int64_t common = -1;
  for (const object::PlanPart& part : lazy.parts) {
    const int64_t rows = RowsOfPart(part, sources);
    if (rows < 0) return Wrong("a reference to rows that its sources do not have");
    if (part.whole) continue;
    if (common >= 0 && rows != common) return Wrong("a reference to parts of different lengths");
    common = rows;
  }
  return CheckTargets(lazy.parts);
}

struct ArgumentCheck {
  absl::Status operator()(const PackedValue&) const { return absl::OkStatus(); }
  absl::Status operator()(const PlannedArgument& planned) const {
    for (const WirePiece& piece : planned.pieces) TWINKLE_RETURN_IF_ERROR(CheckPiece(piece));
    size_t left = planned.pieces.size();
    for (const PlannedPart& part : planned.parts) {
      if (part.target.size() > kLongestPath) return Wrong("a part of an argument that is too deep in it");
      if (part.pieces > left) return Wrong("an argument of more pieces than there are");
      left -= part.pieces;
      TWINKLE_RETURN_IF_ERROR(codec::CheckRanges(part.order));
    }
    return planned.parts.empty() || left == 0 ? absl::OkStatus() : Wrong("an argument with pieces left over");
  }
  absl::Status operator()(const HandleArgument& handle) const { return CheckComponent(handle.component); }
  absl::Status operator()(const LazyArgument& lazy) const {
    for (const WireSource& source : lazy.sources) TWINKLE_RETURN_IF_ERROR(CheckSource(source));
    return lazy.parts.empty() ? CheckWhole(lazy.sources) : CheckPlan(lazy);
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
  absl::Status operator()(const collective::Packet& packet) const {
    return collective::IsSane(packet) ? absl::OkStatus() : Wrong("a collective operation that makes no sense");
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
