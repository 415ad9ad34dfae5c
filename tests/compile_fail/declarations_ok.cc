// Methods and parameters that remote classes may have.
#include <twinkle/twinkle.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

using twinkle::Dispatch, twinkle::Tensor;

struct Settings {  // it has lists, and says that it goes whole
  static constexpr bool kTwinkleWhole = true;
  std::vector<std::string> stops;
};

class Model {
 public:
  int Plain() { return 0; }
  int Const() const { return 0; }
  int ForLvalues() & { return 0; }
  int ForConstLvalues() const& noexcept { return 0; }
  int NoThrow() noexcept { return 0; }
  void Configure(const Settings&) {}
  void Train(const std::vector<int>&, const Settings&) {}
  void Maybe(const std::optional<std::vector<int>>&) {}
  void Dynamic(const twinkle::Value&) {}
  void Load(const Tensor&) {}
  void OnFirst(const Tensor&, const std::deque<int>&) {}
  void Queue(const std::deque<int>&) {}
  int Ask(const twinkle::Remote<Model>& other);
};
TWINKLE_REMOTE_CLASS(Model, (), (Plain), (Const), (ForLvalues), (ForConstLvalues), (NoThrow), (Configure),
                     (Train, Dispatch::kSlice), (Maybe, Dispatch::kSlice), (Dynamic), (Load, Dispatch::kAll),
                     (OnFirst, twinkle::Execute::kFirst), (Queue, Dispatch::kAll), (Ask))
int Model::Ask(const twinkle::Remote<Model>& other) {  // behind the declaration, as it uses a Remote of its own class
  return other.Plain().Get().ok() ? 1 : 0;
}

auto model = twinkle::New<Model>({});
