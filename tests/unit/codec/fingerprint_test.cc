#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

template <class T>
uint64_t Print() {
  return Fingerprint(internal::kType<T>);
}

struct One {
  int a = 0;
  std::string b;
};
struct Same {  // members have no names on the wire
  int x = 0;
  std::string y;
};
struct Swapped {
  std::string b;
  int a = 0;
};
struct Longer {
  int a = 0;
  std::string b;
  bool c = false;
};
struct Chain {  // holds itself
  int value = 0;
  std::vector<Chain> next;
};
struct Branches {
  int value = 0;
  std::vector<std::vector<Branches>> next;
};
class First {
 public:
  First() = default;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
  }
};
class Second {
 public:
  Second() = default;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
  }
};

TEST_CASE("types of one layout have one fingerprint") {
  CHECK(Print<One>() == Print<One>());
  CHECK(Print<One>() == Print<Same>());
  CHECK(Print<long>() == Print<long long>());
  CHECK((Print<std::map<std::string, int>>() == Print<std::unordered_map<std::string, int>>()));
}

TEST_CASE("types that differ on the wire differ in their fingerprints, each from each") {
  const std::vector<uint64_t> prints = {Print<int8_t>(),
                                        Print<uint8_t>(),
                                        Print<int32_t>(),
                                        Print<uint32_t>(),
                                        Print<float>(),
                                        Print<double>(),
                                        Print<int64_t>(),
                                        Print<bool>(),
                                        Print<Mode>(),
                                        Print<std::string>(),
                                        Print<Bytes>(),
                                        Print<One>(),
                                        Print<Swapped>(),
                                        Print<Longer>(),
                                        Print<Empty>(),
                                        Print<Chain>(),
                                        Print<Branches>(),
                                        Print<std::vector<int>>(),
                                        Print<std::vector<float>>(),
                                        Print<std::vector<One>>(),
                                        Print<std::vector<std::vector<int>>>(),
                                        Print<std::vector<bool>>(),
                                        Print<std::array<int, 2>>(),
                                        Print<std::array<int, 3>>(),
                                        Print<std::optional<int>>(),
                                        Print<std::tuple<int, int>>(),
                                        Print<std::tuple<int, float>>(),
                                        Print<std::variant<int, float>>(),
                                        Print<std::variant<float, int>>(),
                                        Print<std::variant<int, float, int>>(),
                                        Print<std::map<int, std::string>>(),
                                        Print<std::map<std::string, int>>(),
                                        Print<std::set<int>>(),
                                        Print<Tensor>(),
                                        Print<Value>(),
                                        Print<Everything>()};
  for (size_t i = 0; i < prints.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      INFO(k << " and " << i);
      CHECK(prints[i] != prints[k]);
    }
  }
}

TEST_CASE("opaque classes are told apart by their names") { CHECK(Print<First>() != Print<Second>()); }

TEST_CASE("a value is described in words for messages") {
  const auto words = [](const auto& value) { return Describe(internal::kType<std::decay_t<decltype(value)>>, &value); };
  CHECK(words(std::vector<int>{1, 2, 3}) == "a list of 3");
  CHECK(words(TensorOf<float>({1, 2, 3, 4}, {2, 2})) == "a float32 tensor of shape {2, 2}");
  CHECK(words(TensorOf<float>({1}, {})) == "a tensor without dimensions");
  CHECK(words(Value(Value::Dict{{"a", 1}})) == "a dict of 1");
  CHECK(words(Value(2.5)) == "a float");
  CHECK(words(std::string("s")) == "a string");
}

}  // namespace
}  // namespace twinkle::codec
