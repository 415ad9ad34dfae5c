// A user's program: two remote objects of one class, one call on both.
#include <twinkle/twinkle.h>

#include <cstdint>
#include <iostream>

namespace consumer {

using twinkle::Collect, twinkle::Execute;

class Adder {
 public:
  explicit Adder(int64_t start) : sum_(start) {}
  int64_t Add(int64_t number) { return sum_ += number; }

 private:
  int64_t sum_;
};
TWINKLE_REMOTE_CLASS(Adder, (Execute::kAll), (Add, Collect::kSum))

absl::Status Run() {
  const auto adders = twinkle::New<Adder>({.remote_group = "adders"}, 4);
  if (!adders.ok()) return adders.status();
  const twinkle::Lazy<int64_t> sum = adders->Add(3);
  if (!sum.Get().ok()) return sum.Get().status();
  std::cout << "two ranks, each 4 + 3: " << *sum.Get() << '\n';
  return *sum.Get() == 14 ? absl::OkStatus() : absl::InternalError("that is not 14");
}

}  // namespace consumer

int main(int argc, char** argv) {
  auto session = twinkle::Initialize(
      argc, argv,
      {.mode = twinkle::Mode::kInProcess, .groups = {{.name = "adders", .ranks = 2, .device_type = "cpu"}}});
  if (!session.ok()) {
    std::cerr << session.status() << '\n';
    return 1;
  }
  absl::Status status = consumer::Run();
  if (status.ok()) status = session->Finish();
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
