// One class on three ranks: a call to the group, a call to one rank, a result made of all the
// ranks' results, and what a failure looks like.
//
//   example_hello [local | in_process]
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/twinkle.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <utility>

namespace hello {

using twinkle::Collect, twinkle::Execute;

// An ordinary class: nothing in it knows whether it is called from near or far.
class Greeter {
 public:
  explicit Greeter(std::string greeting) : greeting_(std::move(greeting)) {}

  absl::StatusOr<std::string> Greet(const std::string& name) {
    if (name.empty()) return absl::InvalidArgumentError("nobody to greet");
    ++greeted_;
    return greeting_ + ", " + name + "! (rank " + std::to_string(twinkle::Context().rank()) + " of " +
           std::to_string(twinkle::Context().world_size()) + ")";
  }

  int64_t Greeted() const { return greeted_; }

 private:
  const std::string greeting_;
  int64_t greeted_ = 0;
};
// Every rank has an object of its own. Of Greet the caller gets all results, in rank order; those
// of Greeted are added up.
TWINKLE_REMOTE_CLASS(Greeter, (Execute::kAll), (Greet, Collect::kNone), (Greeted, Collect::kSum))

absl::Status Run() {
  const auto greeter = twinkle::New<Greeter>({.remote_group = "greeters"}, "Hello");
  if (!greeter.ok()) return greeter.status();

  const auto all = greeter->Greet("world");  // returns at once: the ranks have yet to start
  if (!all.Get().ok()) return all.Get().status();
  for (const std::string& line : *all.Get()) std::cout << line << '\n';

  const auto one = greeter->Rank(0).Greet("rank 0");  // only there, so one result and no list
  if (!one.Get().ok()) return one.Get().status();
  std::cout << *one.Get() << '\n';

  const auto total = greeter->Greeted();
  if (!total.Get().ok()) return total.Get().status();
  std::cout << *total.Get() << " greetings in all\n";

  // The status of the method, and where it came from: method, rank, group, host, this line.
  std::cout << "greeting nobody: " << greeter->Greet("").Get().status() << '\n';
  return absl::OkStatus();
}

}  // namespace hello

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "in_process";
  if (mode != "local" && mode != "in_process") {
    std::cerr << "usage: example_hello [local | in_process]\n";
    return 2;
  }
  auto session = twinkle::Initialize(argc, argv,
                                     {.mode = mode == "local" ? twinkle::Mode::kLocal : twinkle::Mode::kInProcess,
                                      .groups = {{.name = "greeters", .ranks = 3, .device_type = "cpu"}}});
  absl::Status status = session.status();
  if (status.ok()) status = hello::Run();
  if (status.ok()) status = session->Finish();
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
