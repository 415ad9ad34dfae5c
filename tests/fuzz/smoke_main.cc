// Without libFuzzer: some thousand inputs, each a known good one that was changed at random. TWINKLE_TEST_SEED repeats
// a run, TWINKLE_FUZZ_RUNS makes it longer.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/target.h"
#include "tests/support/random.h"

namespace {

using twinkle::tests::Below;
using twinkle::tests::OneIn;
using twinkle::tests::Random;

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// Other bytes, a part gone, a part twice, or the end of another one.
std::string Changed(std::string input, const std::string& other, Random& random) {
  for (int changes = 1 + Below(random, 6); changes > 0 && !input.empty(); --changes) {
    const size_t at = random() % input.size();
    const size_t length = random() % 9;
    if (OneIn(random, 8)) {
      input.erase(at, length);
    } else if (OneIn(random, 8)) {
      input.insert(at, input.substr(random() % input.size(), length));
    } else if (OneIn(random, 16)) {
      input = input.substr(0, at) + other.substr(random() % (other.size() + 1));
    } else {
      input[at] = OneIn(random, 3) ? static_cast<char>(0xff) : static_cast<char>(random());
    }
  }
  return input;
}

}  // namespace

int main() {
  const uint64_t seed = twinkle::tests::Seed();
  std::printf("TWINKLE_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  const char* const asked = std::getenv("TWINKLE_FUZZ_RUNS");
  const int runs = asked == nullptr ? 4000 : std::atoi(asked);
  Random random(seed);
  const std::vector<std::string> seeds = twinkle::fuzz::Seeds();
  Run("");
  for (const std::string& input : seeds) Run(input);
  for (int run = 0; run < runs; ++run) {
    Run(Changed(seeds[random() % seeds.size()], seeds[random() % seeds.size()], random));
  }
  return 0;
}
