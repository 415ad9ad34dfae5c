// What processes say to each other. Plain structs: the codec's descriptions of them are the wire format, which changes
// with the number in rpc/protocol.h. A message may get members at its end without that: who does not know them skips
// them, and for who misses them they are what they are by default.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/actor/wire.h"
#include "runtime/actor/wire_arguments.h"
#include "runtime/codec/codec.h"
#include "runtime/collective/packet.h"
#include "runtime/object/object_store.h"
#include "runtime/rpc/transport.h"

namespace twinkle::actor {

// ---- calls
// A call's place in its domain's order: its number, or, for a call that needs none (0), the number of the caller's last
// call before it.
struct Order {
  uint64_t domain = 0;
  uint64_t number = 0;
  uint64_t after = 0;
};
// A call, wherever it is: ids are unique with the process that makes them.
struct CallId {
  rpc::ProcessId caller = 0;
  uint64_t number = 0;  // 0: no call
};
// Where a call stands among others.
struct Lineage {
  CallId parent;              // in whose method it was made; none: it is a root, made outside of methods
  uint64_t trace = 0;         // the root's, which all that is called because of it inherits
  int64_t time_left_ns = -1;  // after which its caller waits no longer; less than 0: there is no limit
};
enum class Operation : uint8_t { kConstruct, kMethod, kProbe, kDestroy };
// What it is called in messages for people; empty for kMethod: then by the method's name.
const char* OperationName(Operation operation);
struct CallMessage {
  uint64_t call = 0;  // unique with the caller
  Operation operation = Operation::kMethod;
  uint64_t component = 0;
  Order order;
  std::string method;  // kConstruct: which constructor
  bool each = false;
  bool keep = true;  // the result will be asked for
  std::vector<WireArgument> arguments;
  std::string file;
  int32_t line = 0;
  std::optional<Lineage> lineage;       // absent: a root without a time limit
  std::optional<rpc::ProcessId> maker;  // of the component, unless it is the caller
  std::vector<ComponentInfo> info;      // kConstruct: one; else none, in little room
};
struct ReplyMessage {
  uint64_t call = 0;
  std::optional<WireStatus> failure;  // absent: OK
  uint64_t object = 0;                // 0: none was kept
  codec::Rows rows;                   // of the result; none: it is one that is never split
  uint64_t bytes = 0;
  std::optional<PackedValue> carried;
  bool more = true;
};
struct CancelMessage {
  uint64_t call = 0;
  WireStatus why;
  bool ask = false;  // BegunMessage is wanted if the method has begun; else the reply says that it has not
};
struct BegunMessage {
  uint64_t call = 0;
};
struct SkipMessage {  // numbers that nobody will use here
  uint64_t domain = 0;
  bool own = false;  // they were granted to the sender
  std::vector<uint64_t> numbers;
};

struct GoneMessage {  // a component that will not be constructed; to its workers
  uint64_t component = 0;
  WireStatus why;
};
struct OrphanedMessage {  // a component whose maker is gone: where it is not, it never will be; to its workers
  uint64_t component = 0;
  rpc::ProcessId maker = 0;
};
struct ReleasedMessage {  // a component that is not there any more, and its order; to its maker and its callers
  uint64_t component = 0;
  WireStatus why;
};

// ---- objects
struct PullMessage {
  uint64_t pull = 0;
  uint64_t object = 0;
  object::Selection selection;
  std::optional<RelayKey> relay = std::nullopt;  // instead: what the receiver has by that
};
struct PullReply {
  uint64_t pull = 0;
  WireStatus status;
  PackedValue value;
};
struct RetainMessage {
  uint64_t token = 0;
  uint64_t object = 0;
};
struct RetainReply {
  uint64_t token = 0;
  WireStatus status;
};
struct ReleaseMessage {
  std::vector<uint64_t> objects;
};

// ---- order
struct NumberRequest {
  uint64_t domain = 0;
  uint64_t count = 0;
  std::vector<rpc::ProcessId> members;  // the domain's processes
};
struct NumberGrant {  // exclusive: all numbers from `first` on, until recalled
  uint64_t domain = 0;
  uint64_t first = 0;
  uint64_t count = 0;
  bool exclusive = false;
};
struct RecallMessage {
  uint64_t domain = 0;
};
struct RecalledMessage {
  uint64_t domain = 0;
  uint64_t next = 0;  // the first number that was not used
};
struct LastQuery {  // the last number that arrived from a caller that is gone
  uint64_t domain = 0;
  rpc::ProcessId caller = 0;
};
struct LastReply {
  uint64_t domain = 0;
  rpc::ProcessId caller = 0;
  uint64_t last = 0;
};
struct AbortMessage {  // of the receiver's group
  WireStatus why;
};

struct LossSeenMessage {  // somebody in a rank has looked at a call that failed of this process's loss; to the program
  rpc::ProcessId process = 0;
};

// ---- the end of a session
struct AccountQuery {
  uint64_t token = 0;
  bool close = false;                            // log and forget the failures that nobody looked at
  std::vector<rpc::ProcessId> losses_seen = {};  // with `close`: one process of each loss that somebody looked at
};
struct AccountReply {
  uint64_t token = 0;
  uint64_t calls_made = 0;
  std::vector<std::string> calls_under_way;  // some
  WireStatus unread_failure;
};

using Message = std::variant<CallMessage, ReplyMessage, CancelMessage, SkipMessage, GoneMessage, PullMessage, PullReply,
                             RetainMessage, RetainReply, ReleaseMessage, NumberRequest, NumberGrant, RecallMessage,
                             RecalledMessage, LastQuery, LastReply, AbortMessage, AccountQuery, AccountReply,
                             BegunMessage, ReleasedMessage, OrphanedMessage, LossSeenMessage, collective::Packet>;
rpc::Frame EncodeMessage(const Message& message);
// InvalidArgument: the frame is no message, or one that makes no sense (check_message.h).
absl::Status DecodeMessage(const rpc::Frame& frame, Message* message);

// EncodeMessage for one of them, that need not become a Message first.
rpc::Frame EncodeMessageAs(size_t which, const void* message);
template <class M, class... Ms>
constexpr size_t IndexIn(const std::variant<Ms...>*) {
  size_t index = 0;
  static_cast<void>(((std::is_same_v<M, Ms> || (++index, false)) || ...));
  return index;
}
template <class M>
rpc::Frame EncodeMessage(const M& message) {
  return EncodeMessageAs(IndexIn<M>(static_cast<const Message*>(nullptr)), &message);
}

}  // namespace twinkle::actor
