// Types that say themselves, or through somebody else, how they are sent.
#include <absl/strings/match.h>
#include <twinkle/codec.h>
#include <twinkle/device_mesh.h>

#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace cereal {

// As cereal itself has it.
class access {
 public:
  template <class Archive, class T>
  static auto member_serialize(Archive& archive, T& object) -> decltype(object.serialize(archive)) {
    return object.serialize(archive);
  }
};

}  // namespace cereal

namespace others {  // nobody here knows the library

class Account {
 public:
  Account() = default;
  Account(std::string owner, int64_t cents) : owner_(std::move(owner)), cents_(cents) {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(owner_, cents_);
    archive& history_;
  }
  bool operator==(const Account&) const = default;

 private:
  std::string owner_;
  int64_t cents_ = 0;
  std::vector<int> history_ = {1, 2};
};

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string word) : word_(std::move(word)) {}
  bool operator==(const Secret&) const = default;

 private:
  friend class cereal::access;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(word_);
  }
  std::string word_;
};

class Third {
 public:
  Third() : hidden(0) {}
  int hidden;
  bool operator==(const Third&) const = default;
};
template <class Archive>
void serialize(Archive& archive, Third& third) {
  archive(third.hidden);
}

struct Base {
  int id = 0;
  bool operator==(const Base&) const = default;
};
struct Derived : Base {
  std::string what;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(static_cast<Base&>(*this).id, what);
  }
  bool operator==(const Derived&) const = default;
};

class Queue {  // does one thing when it is written and another when it is read
 public:
  Queue() = default;
  std::deque<int> items;
  template <class Archive>
  void serialize(Archive& archive) {
    std::vector<int> list;
    if constexpr (Archive::is_saving::value) list.assign(items.begin(), items.end());
    archive(list);
    if constexpr (Archive::is_loading::value) items.assign(list.begin(), list.end());
  }
  bool operator==(const Queue&) const = default;
};

class Even {
 public:
  Even() = default;
  explicit Even(int number) : number_(number) {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number_);
  }
  absl::Status Validate() const { return number_ % 2 == 0 ? absl::OkStatus() : absl::OutOfRangeError("an odd number"); }
  bool operator==(const Even&) const = default;

 private:
  int number_ = 0;
};

class Throwing {
 public:
  Throwing() = default;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
    if (number == 13) throw std::runtime_error("bad luck");
  }
};

class Interval {  // a foreign type, with a Codec below
 public:
  Interval() = default;
  Interval(int begin, int end) : begin_(begin), end_(end) {}
  int begin() const { return begin_; }
  int end() const { return end_; }
  bool operator==(const Interval&) const = default;

 private:
  int begin_ = 0;
  int end_ = 0;
};

class Blob {  // a foreign type that is sent as a tensor
 public:
  Blob() = default;
  std::vector<float> elements;
  bool operator==(const Blob&) const = default;
};

class Message {  // what protobuf generates has these members
 public:
  Message() = default;
  void set_seconds(int seconds) { text_ = std::to_string(seconds); }
  std::string SerializeAsString() const { return "m" + text_; }
  size_t ByteSizeLong() const { return text_.size() + 1; }
  bool ParseFromArray(const void* bytes, int count) {
    const std::string all(static_cast<const char*>(bytes), static_cast<size_t>(count));
    if (all.empty() || all[0] != 'm') return false;
    text_ = all.substr(1);
    return true;
  }
  bool operator==(const Message&) const = default;

 private:
  std::string text_;
};

}  // namespace others

template <>
struct twinkle::Codec<others::Interval> {
  using Wire = std::pair<int, int>;
  static Wire ToWire(const others::Interval& interval) { return {interval.begin(), interval.end()}; }
  static absl::StatusOr<others::Interval> FromWire(Wire wire) {
    if (wire.first > wire.second) return absl::OutOfRangeError("it ends before it begins");
    return others::Interval(wire.first, wire.second);
  }
};
template <>
struct twinkle::Codec<others::Blob> {
  using Wire = Tensor;
  static Wire ToWire(const others::Blob& blob) { return *Tensor::FromVector<float>(blob.elements); }
  static absl::StatusOr<others::Blob> FromWire(const Wire& wire) {
    const auto elements = wire.data<float>();
    if (!elements.ok()) return elements.status();
    others::Blob blob;
    blob.elements.assign(elements->begin(), elements->end());
    return blob;
  }
};

namespace twinkle::codec {
namespace {

using internal::Kind;
using internal::kType;

// The bytes of one type read as another.
template <class To, class From>
absl::Status ReadAs(const From& value) {
  const Encoded encoded = *Encode(Hold(value));
  return DecodeAs<To>(encoded.head, encoded.buffers).status();
}

TEST_CASE("a class with a public serialize()") {
  CHECK(kType<others::Account>.kind == Kind::kClass);
  CheckRoundTrip(others::Account("me", 5));
  CheckRoundTrip(std::vector<others::Account>{{"a", 1}, {"b", 2}});
  CheckRoundTrip(others::Derived{{4}, "w"});
  others::Queue queue;
  queue.items = {1, 2, 3};
  CheckRoundTrip(queue);
}

TEST_CASE("a class with a private serialize() that calls cereal's access its friend") {
  CHECK(kType<others::Secret>.kind == Kind::kClass);
  CheckRoundTrip(others::Secret("word"));
}

TEST_CASE("a class with a serialize() beside it") {
  CHECK(kType<others::Third>.kind == Kind::kClass);
  others::Third third;
  third.hidden = 9;
  CheckRoundTrip(third);
}

TEST_CASE("a class that validates itself is asked about what was decoded, and its status is the answer") {
  CheckRoundTrip(others::Even(4));
  const absl::Status odd = Sent(others::Even(3)).status();
  CHECK(absl::IsOutOfRange(odd));
  CHECK(absl::StrContains(odd.message(), "an odd number"));
  CHECK(absl::IsOutOfRange(Sent(std::vector<others::Even>{others::Even(2), others::Even(5)}).status()));
}

TEST_CASE("what serialize() throws is a status") {
  others::Throwing bad;
  bad.number = 13;
  const absl::Status thrown = Encode(Hold(bad)).status();
  CHECK(absl::IsUnknown(thrown));
  CHECK(absl::StrContains(thrown.message(), "bad luck"));
}

TEST_CASE("a foreign type with a Codec, whose refusal is the reader's error") {
  CHECK(kType<others::Interval>.kind == Kind::kForeign);
  CheckRoundTrip(others::Interval(2, 5));
  CheckRoundTrip(std::map<std::string, others::Interval>{{"a", {1, 2}}, {"b", {}}});
  CHECK(absl::IsOutOfRange(Sent(others::Interval(5, 2)).status()));
}

TEST_CASE("what a Codec makes for the wire stays as long as the buffers that refer to it") {
  others::Blob blob;
  blob.elements.assign(3000, 2.5F);
  CheckRoundTrip(blob);
  Encoded encoded = *Encode(Hold(blob));
  REQUIRE(encoded.buffers.size() == 1);
  CHECK(*reinterpret_cast<const float*>(encoded.buffers[0].data + 4 * 2999) == 2.5F);
}

TEST_CASE("a protobuf message, and a struct that holds one") {
  struct Holder {
    others::Message message;
    int number = 0;
    bool operator==(const Holder&) const = default;
  };
  CHECK(kType<others::Message>.kind == Kind::kMessage);
  others::Message message;
  message.set_seconds(77);
  CheckRoundTrip(message);
  CheckRoundTrip(Holder{message, 3});
  CHECK(absl::IsInvalidArgument(ReadAs<others::Message>(std::string("what it does not parse"))));
}

// ---- a class of the library's own --------------------------------------------------------------
class Forged {  // what a mesh looks like on the wire
 public:
  std::vector<int> shape = {2, 2};
  std::vector<std::string> names = {"dp", "tp"};
  std::vector<int> ranks;
  int ulysses = 1;
  std::optional<int> ep, etp, ep_fsdp, vpp;
  Forged() = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(shape, names, ranks, ulysses, ep, etp, ep_fsdp, vpp);
  }
};

TEST_CASE("a mesh comes back the same, and one that makes no sense does not come in") {
  CheckRoundTrip(*DeviceMesh::FromSizes({.fsdp = 2, .dp = 3, .tp = 2, .ulysses = 3}));
  CheckRoundTrip(*DeviceMesh::FromShape({2, 2}, {"dp", "tp"}, {7, 3, 5, 1}));
  CHECK(ReadAs<DeviceMesh>(Forged{}).ok());
  Forged negative;
  negative.shape = {2, -2};
  CHECK(absl::IsInvalidArgument(ReadAs<DeviceMesh>(negative)));
  Forged huge;
  huge.shape = {1 << 30, 1 << 30};
  CHECK(absl::IsInvalidArgument(ReadAs<DeviceMesh>(huge)));
  Forged nameless;
  nameless.names = {"dp"};
  CHECK(absl::IsInvalidArgument(ReadAs<DeviceMesh>(nameless)));
  Forged unknown;
  unknown.names = {"dp", "xx"};
  CHECK(absl::IsInvalidArgument(ReadAs<DeviceMesh>(unknown)));
  Forged short_of_ranks;
  short_of_ranks.ranks = {0, 1, 2};
  CHECK(absl::IsInvalidArgument(ReadAs<DeviceMesh>(short_of_ranks)));
  Forged uneven;
  uneven.ulysses = 3;
  CHECK(absl::IsInvalidArgument(ReadAs<DeviceMesh>(uneven)));
}

}  // namespace
}  // namespace twinkle::codec
