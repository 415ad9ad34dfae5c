// Components and arguments as they stand in messages. Plain structs, whose descriptions by the codec are the wire
// format.
#pragma once

#include <twinkle/device_mesh.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/actor/wire.h"
#include "runtime/codec/codec.h"
#include "runtime/object/lazy_plan.h"
#include "runtime/object/object_store.h"
#include "runtime/rpc/transport.h"

namespace twinkle::actor {

// A component: what any process needs to call it.
struct ComponentInfo {
  uint64_t id = 0;
  std::string name;          // the user's; may be empty
  std::string class_name;    // qualified
  uint64_t fingerprint = 0;  // of the class, in the program that made the component
  std::string group;
  rpc::ProcessId maker = 0;             // who constructs it
  std::vector<rpc::ProcessId> workers;  // rank order; those that have an object
  // Where its group calls are ordered: its group's workers for device groups, its own for CPU groups. The first is the
  // sequencer. Alone: nothing to order.
  uint64_t domain = 0;
  std::vector<rpc::ProcessId> domain_workers;
  bool shared_lane = false;  // one lane a worker process, for all components
  std::optional<DeviceMesh> mesh;
  std::optional<bool> sync;
  std::optional<bool> lazy_collect;
};

// A part that comes to each machine once (Relays), named by the process that made the call and a number of its own.
struct RelayKey {
  rpc::ProcessId caller = 0;
  uint64_t number = 0;
  bool operator==(const RelayKey&) const = default;
  template <class H>
  friend H AbslHashValue(H hash, const RelayKey& key) {
    return H::combine(std::move(hash), key.caller, key.number);
  }
};
struct RelayOrder {
  uint64_t number = 0;
  rpc::ProcessId from = 0;              // the object's owner, or another worker of the call
  std::vector<rpc::ProcessId> readers;  // workers of the call that read it from the receiver
};
struct WirePiece {
  object::ObjectRef object;
  std::optional<std::vector<codec::Range>> rows;  // with `path` and `picks`: an object::Selection
  std::vector<uint32_t> path = {};
  std::vector<codec::Range> picks = {};
  std::optional<PackedValue> value = std::nullopt;  // instead of all that: it is not an object
  std::optional<RelayOrder> relay = std::nullopt;   // it does not come from its owner, or goes on to others
  bool item = false;  // it is one item of the list that the pieces make up; else such a list itself
};
struct PlannedPart {
  std::vector<uint32_t> target;     // the member that it is; empty: all of the argument
  uint64_t pieces = 0;              // how many it is made of: the first that are not an earlier part's
  std::vector<codec::Range> order;  // rows of the joined pieces, one after another; empty: as they are
};
struct PlannedArgument {  // a value that is made of others, where it is needed
  std::vector<WirePiece> pieces;
  std::vector<PlannedPart> parts;  // none: the pieces are the argument, one after another
};
struct HandleArgument {
  ComponentInfo component;
};
struct WireSource {  // an object::PlanSource
  object::ObjectRef object;
  std::vector<uint32_t> path = {};
  codec::Rows rows = {};  // of an item, none
  bool item = false;
};
struct LazyArgument {  // the reference itself: what it is made of
  WireStatus failed;
  std::string what;
  std::vector<WireSource> sources;
  std::vector<object::PlanPart> parts;  // none: the whole sources are the value, one after another
  std::optional<PackedValue> value;     // instead, where it is not made of objects alone
};
using WireArgument = std::variant<PackedValue, PlannedArgument, HandleArgument, LazyArgument>;

// f(piece) for all pieces that an argument is made of.
template <class Argument, class F>
void EachPiece(Argument& argument, F&& f) {
  if (auto* planned = std::get_if<PlannedArgument>(&argument)) {
    for (auto& piece : planned->pieces) f(piece);
  }
}

}  // namespace twinkle::actor
