// Rules of one's own: how arguments are split over the ranks, and what is made of the results. Here
// documents of very different lengths: split by count, one rank gets most of the work; dealt out by
// length, all get about the same.
//
//   example_own_rules [local | in_process]       (local: one object gets everything)
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/twinkle.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

namespace own_rules {

using twinkle::Dispatch, twinkle::Execute;
using Lengths = std::vector<int64_t>;

class Reader {
 public:
  int64_t ReadInOrder(const Lengths& lengths) { return Read(lengths); }
  int64_t ReadBalanced(const Lengths& lengths) { return Read(lengths); }

 private:
  static int64_t Read(const Lengths& lengths) { return std::accumulate(lengths.begin(), lengths.end(), int64_t{0}); }
};

// Called for each worker i of `length`; returns what that worker gets. Every call deals the same
// hands, the longest document first and always to whoever has least, and keeps the i-th.
absl::StatusOr<std::tuple<Lengths>> LongestFirst(int length, int i, const std::tuple<Lengths>& args,
                                                 const twinkle::DeviceMesh* /*mesh*/) {
  Lengths sorted = std::get<0>(args);
  std::sort(sorted.rbegin(), sorted.rend());
  std::vector<int64_t> loads(static_cast<size_t>(length));
  Lengths mine;
  for (const int64_t document : sorted) {
    const auto least = std::min_element(loads.begin(), loads.end());
    *least += document;
    if (least - loads.begin() == i) mine.push_back(document);
  }
  return std::tuple(mine);
}

// Gets every rank's result in rank order; what it returns is what the caller gets, of any type.
absl::StatusOr<std::string> Shares(const std::vector<int64_t>& all_results, const twinkle::DeviceMesh* /*mesh*/) {
  std::string shares;
  for (const int64_t load : all_results) shares += std::to_string(load) + " ";
  const auto most = *std::max_element(all_results.begin(), all_results.end());
  return shares + "words; all wait for the slowest rank's " + std::to_string(most);
}

TWINKLE_REMOTE_CLASS(Reader, (Execute::kAll), (ReadInOrder, Dispatch::kSlice, twinkle::CollectBy<&Shares>),
                     (ReadBalanced, twinkle::DispatchBy<&LongestFirst>, twinkle::CollectBy<&Shares>))

absl::Status Run() {
  const auto reader = twinkle::New<Reader>({.remote_group = "readers"});
  if (!reader.ok()) return reader.status();
  const Lengths lengths = {900, 800, 700, 50, 40, 30, 20, 10};
  const auto in_order = reader->ReadInOrder(lengths);  // both run before either is looked at
  const auto balanced = reader->ReadBalanced(lengths);
  if (!in_order.Get().ok()) return in_order.Get().status();
  if (!balanced.Get().ok()) return balanced.Get().status();
  std::cout << "split by count:  " << *in_order.Get() << "\ndealt by length: " << *balanced.Get() << '\n';
  return absl::OkStatus();
}

}  // namespace own_rules

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "in_process";
  if (mode != "local" && mode != "in_process") {
    std::cerr << "usage: example_own_rules [local | in_process]\n";
    return 2;
  }
  auto session = twinkle::Initialize(argc, argv,
                                     {.mode = mode == "local" ? twinkle::Mode::kLocal : twinkle::Mode::kInProcess,
                                      .groups = {{.name = "readers", .ranks = 4, .device_type = "cpu"}}});
  absl::Status status = session.status();
  if (status.ok()) status = own_rules::Run();
  if (status.ok()) status = session->Finish();
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
