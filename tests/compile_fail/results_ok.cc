// What each collect rule takes, and the type it makes of it.
#include <twinkle/twinkle.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

using twinkle::Collect, twinkle::Tensor, twinkle::Value;

struct Lists {
  std::vector<std::string> texts;
  Tensor tensor;
  std::map<std::string, std::vector<int>> named;
};
struct Floats {
  float a = 0;
  double b = 0;
};
struct Numbers {
  int a = 0;
  bool b = false;
  float c = 0;
};
using Text = std::string;
using Map = std::map<std::string, float>;

template <class Result, Collect rule, class Expected>
inline constexpr bool kMakes = std::is_same_v<twinkle::internal::Collected<Result, rule>, Expected>;

static_assert(kMakes<Text, Collect::kNone, std::vector<Text>>);
static_assert(kMakes<bool, Collect::kNone, std::vector<bool>>);
static_assert(kMakes<Text, Collect::kLastPp, std::vector<Text>>);
static_assert(kMakes<Text, Collect::kFirst, Text>);
static_assert(kMakes<std::pair<int, Text>, Collect::kLastPpFirst, std::pair<int, Text>>);
static_assert(kMakes<Lists, Collect::kFlatten, Lists>);
static_assert(kMakes<Lists, Collect::kFlattenDp, Lists>);
static_assert(kMakes<std::vector<bool>, Collect::kFlatten, std::vector<bool>>);
static_assert(kMakes<twinkle::Array<Text>, Collect::kFlatten, twinkle::Array<Text>>);
static_assert(kMakes<Tensor, Collect::kFlatten, Tensor>);
static_assert(kMakes<std::unordered_map<Text, Tensor>, Collect::kFlatten, std::unordered_map<Text, Tensor>>);
static_assert(kMakes<int8_t, Collect::kMean, double>);
static_assert(kMakes<bool, Collect::kMean, double>);
static_assert(kMakes<std::vector<std::vector<float>>, Collect::kMean, double>);
static_assert(kMakes<Tensor, Collect::kMean, double>);
static_assert(kMakes<std::map<Text, std::vector<int>>, Collect::kMean, std::map<Text, double>>);
static_assert(kMakes<std::unordered_map<Text, int>, Collect::kMean, std::map<Text, double>>);
static_assert(kMakes<Floats, Collect::kMean, Floats>);
static_assert(kMakes<int8_t, Collect::kSum, int64_t>);
static_assert(kMakes<bool, Collect::kSum, int64_t>);
static_assert(kMakes<float, Collect::kSum, double>);
static_assert(kMakes<std::vector<std::vector<int>>, Collect::kSum, int64_t>);
static_assert(kMakes<std::vector<float>, Collect::kSum, double>);
static_assert(kMakes<Tensor, Collect::kSum, double>);
static_assert(kMakes<std::map<Text, int>, Collect::kSum, std::map<Text, int64_t>>);
static_assert(kMakes<Map, Collect::kSum, std::map<Text, double>>);
static_assert(kMakes<Numbers, Collect::kSum, Numbers>);
static_assert(kMakes<std::tuple<std::vector<int>, Tensor>, Collect::kFlatten, std::tuple<std::vector<int>, Tensor>>);
static_assert(kMakes<std::tuple<int, float>, Collect::kSum, std::tuple<int64_t, double>>);
static_assert(kMakes<std::tuple<int, std::tuple<Text>>, Collect::kNone,
                     std::tuple<std::vector<int>, std::tuple<std::vector<Text>>>>);
static_assert(kMakes<int8_t, Collect::kSumEach, int64_t>);
static_assert(kMakes<bool, Collect::kMeanEach, double>);
static_assert(kMakes<float, Collect::kSumEach, float>);
static_assert(kMakes<std::vector<std::vector<float>>, Collect::kMeanEach, std::vector<std::vector<float>>>);
static_assert(kMakes<std::vector<int>, Collect::kMeanEach, std::vector<double>>);
static_assert(kMakes<std::vector<bool>, Collect::kSumEach, std::vector<int64_t>>);
static_assert(kMakes<twinkle::Array<float>, Collect::kMeanEach, twinkle::Array<float>>);
static_assert(kMakes<std::array<int, 3>, Collect::kSumEach, std::array<int64_t, 3>>);
static_assert(kMakes<Tensor, Collect::kMeanEach, Tensor>);
static_assert(kMakes<std::unordered_map<Text, Tensor>, Collect::kMeanEach, std::map<Text, Tensor>>);
static_assert(kMakes<Floats, Collect::kMeanEach, Floats>);
static_assert(kMakes<Numbers, Collect::kSumEach, Numbers>);
static_assert(kMakes<std::tuple<Tensor, int>, Collect::kMeanEach, std::tuple<Tensor, double>>);
static_assert(kMakes<Value, Collect::kSumEach, Value>);
static_assert(kMakes<Value, Collect::kNone, Value>);
static_assert(kMakes<Value, Collect::kMean, Value>);
static_assert(kMakes<void, Collect::kFlatten, void>);

struct Joined {
  size_t count = 0;
};
absl::StatusOr<Joined> Join(const std::vector<Text>& all_results, const twinkle::DeviceMesh*) {
  return Joined{all_results.size()};
}

class Giver {
 public:
  const Text& Reference() const { return text_; }
  absl::StatusOr<Text> Maybe() { return text_; }
  absl::Status MaybeNothing() { return absl::OkStatus(); }
  void Nothing() {}
  std::optional<Tensor> Next() { return std::nullopt; }
  absl::StatusOr<std::optional<Text>> MaybeNext() { return std::nullopt; }
  Text Own() { return text_; }

 private:
  Text text_;
};
TWINKLE_REMOTE_CLASS(Giver, (), (Reference), (Maybe, Collect::kFirst), (MaybeNothing, Collect::kMean), (Nothing),
                     (Next, Collect::kFlatten, twinkle::Pad{-1}), (MaybeNext, Collect::kFirst),
                     (Own, twinkle::CollectBy<&Join>, twinkle::Sync{true}))

void Call(const twinkle::Remote<Giver>& giver) {
  using twinkle::Lazy;
  static_assert(std::is_same_v<decltype(giver.Reference()), Lazy<std::vector<Text>>>);
  static_assert(std::is_same_v<decltype(giver.Rank(0).Reference()), Lazy<Text>>);
  static_assert(std::is_same_v<decltype(giver.Maybe()), Lazy<Text>>);
  static_assert(std::is_same_v<decltype(giver.MaybeNothing()), Lazy<void>>);
  static_assert(std::is_same_v<decltype(giver.Own()), Lazy<Joined>>);
  for (const auto& item : giver.Next.Each()) static_assert(std::is_same_v<decltype(item), const Lazy<Tensor>&>);
  for (const auto& item : giver.MaybeNext.Each()) static_assert(std::is_same_v<decltype(item), const Lazy<Text>&>);
}
