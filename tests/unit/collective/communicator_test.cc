// The conformance of communicators over a network in memory, each rank a thread.
#include <thread>

#include "tests/support/communicator_checks.h"
#include "tests/unit/collective/net_rank.h"

namespace twinkle::collective {
namespace {

std::vector<uint64_t> Machines(int ranks, int machines) {
  std::vector<uint64_t> all;
  for (int rank = 0; rank < ranks; ++rank) all.push_back(static_cast<uint64_t>(rank * machines / ranks + 1));
  return all;
}

// What the ranks found wrong.
std::string RunCheck(const tests::CommunicatorCheck& check, NetRanks& ranks, uint64_t epoch, uint64_t seed) {
  ranks.Begin(epoch);
  std::vector<std::string> found(ranks.size());
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    threads.emplace_back([&, rank] {
      found[rank] = check.run(ranks[rank].Use(), seed);
      ranks[rank].End();
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string wrong;
  for (size_t rank = 0; rank < found.size(); ++rank) {
    if (!found[rank].empty()) absl::StrAppend(&wrong, "rank ", rank, ": ", found[rank], "\n");
  }
  return wrong;
}

TEST_CASE("ranks on one machine and on several compute the same bits as one loop") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  const auto executor = base::NewThreadExecutor();
  for (int count = 1; count <= 9; ++count) {
    Meeting::Options options;
    if (tests::OneIn(random, 2)) options.group = {.carried_bytes = 40, .chunk_bytes = 1 + tests::Below(random, 3000)};
    NetRanks ranks(executor.get(), Machines(count, 1 + tests::Below(random, std::min(count, 3))), options);
    uint64_t epoch = 0;
    for (const tests::CommunicatorCheck& check : tests::CommunicatorChecks()) {
      INFO(check.name << " on " << count << " ranks");
      CHECK(RunCheck(check, ranks, ++epoch, random()) == "");  // NOLINT(readability-container-size-empty): what it says
    }
  }
}

}  // namespace
}  // namespace twinkle::collective
