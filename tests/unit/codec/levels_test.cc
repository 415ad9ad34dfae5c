// What is nested too deep is refused where it is made, at the very level from which it could not be read.
#include <absl/strings/match.h>

#include <deque>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

struct Queued {  // holds itself by a list that is sent as another
  std::deque<Queued> children;
};

Node Nodes(int count) {
  Node tree;
  for (; count > 1; --count) {
    Node parent;
    parent.children.push_back(std::move(tree));
    tree = std::move(parent);
  }
  return tree;
}
Value Lists(int count) {
  Value value = 1;
  for (; count > 0; --count) value = Value::List{std::move(value)};
  return value;
}
Value Dicts(int count) {
  Value value = 1;
  for (; count > 0; --count) {
    Value::Dict dict;
    dict["x"] = std::move(value);
    value = std::move(dict);
  }
  return value;
}

template <class T>
absl::Status Snapshotted(T value) {
  return Snapshot(internal::kType<T>, &value);
}
bool IsTooDeep(const absl::Status& status) {
  return absl::IsInvalidArgument(status) && absl::StrContains(status.message(), "at most 64 lists, structs, maps");
}
// Both refuse it, and what they let through can be read.
template <class T>
bool IsRefused(const T& value) {
  const absl::StatusOr<Encoded> encoded = Encode(Hold(value));
  const absl::Status snapshot = Snapshotted(value);
  CHECK(encoded.ok() == snapshot.ok());
  if (encoded.ok()) CHECK(DecodeAs<T>(encoded->head, encoded->buffers).ok());
  return IsTooDeep(encoded.status()) && IsTooDeep(snapshot);
}

TEST_CASE("a struct and the list that holds it are two levels") {
  CHECK_FALSE(IsRefused(Nodes(32)));
  CHECK(IsRefused(Nodes(33)));
  CHECK(IsRefused(Nodes(1000)));
}

TEST_CASE("each list, tuple and dict of a Value is a level, and so is what it holds") {
  CHECK_FALSE(IsRefused(Lists(63)));
  CHECK(IsRefused(Lists(64)));
  CHECK_FALSE(IsRefused(Dicts(63)));
  CHECK(IsRefused(Dicts(64)));
  CHECK(IsRefused(Value(Value::Tuple{{Lists(63)}})));
  CHECK(IsRefused(Lists(1000)));
}

TEST_CASE("rows of what is nested too deep are refused, too") {
  const std::vector<Range> ranges;
  CHECK(IsTooDeep(Encode(Hold(Dicts(100)), &ranges).status()));
}

TEST_CASE("what is sent as another type is refused when it is encoded") {
  Queued tree;
  for (int i = 0; i < 50; ++i) {
    Queued parent;
    parent.children.push_back(std::move(tree));
    tree = std::move(parent);
  }
  CHECK(IsTooDeep(Encode(Hold(tree)).status()));
}

}  // namespace
}  // namespace twinkle::codec
