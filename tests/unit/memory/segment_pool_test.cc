// Numbers are those of the invariants in segment_pool.h.
#include "runtime/memory/segment_pool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <variant>
#include <vector>

#include "runtime/memory/segment_map.h"
#include "tests/support/catch.h"
#include "tests/support/random.h"

namespace twinkle::memory {
namespace {

const size_t kPage = static_cast<size_t>(::sysconf(_SC_PAGESIZE));

struct Block {
  std::shared_ptr<std::byte> memory;
  size_t bytes;
  std::byte mark;
};

TEST_CASE("blocks do not overlap, and what is freed is used again (SM1, SM3)") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  const auto pool = std::make_shared<SegmentPool>(SegmentOptions{.segment_bytes = 256 * kPage});
  std::vector<Block> blocks;
  size_t most = 0;
  for (int step = 0; step < 2000; ++step) {
    if (blocks.size() > 20 || (!blocks.empty() && tests::OneIn(random, 2))) {
      const size_t which = random() % blocks.size();
      const Block block = blocks[which];
      const bool whole = std::all_of(block.memory.get(), block.memory.get() + block.bytes,
                                     [&](std::byte byte) { return byte == block.mark; });
      REQUIRE(whole);
      blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(which));
      continue;
    }
    const size_t bytes = 1 + random() % (20 * kPage);
    Block block{pool->Allocate(bytes, false), bytes, static_cast<std::byte>(random())};
    REQUIRE(block.memory != nullptr);
    std::memset(block.memory.get(), static_cast<int>(block.mark), bytes);
    REQUIRE(pool->Find(block.memory.get(), bytes));
    blocks.push_back(std::move(block));
    most = std::max(most, pool->bytes_used());
  }
  CHECK(pool->bytes_touched() < 2 * most);
  blocks.clear();
  CHECK(pool->bytes_used() == 0);
  CHECK(pool->segment_count() == 1);  // SM4
}

TEST_CASE("memory that was used before is zeroed when that is asked for") {
  const auto pool = std::make_shared<SegmentPool>();
  std::shared_ptr<std::byte> block = pool->Allocate(kPage, false);
  std::byte* const where = block.get();
  std::memset(where, 7, kPage);
  block.reset();
  block = pool->Allocate(kPage, true);
  CHECK(block.get() == where);
  CHECK(std::all_of(where, where + kPage, [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_CASE("beyond its capacity a pool gives nothing") {
  const auto pool = std::make_shared<SegmentPool>(SegmentOptions{.capacity = 4 * kPage});
  const auto block = pool->Allocate(3 * kPage, false);
  CHECK(block != nullptr);
  CHECK(pool->Allocate(2 * kPage, false) == nullptr);
  CHECK(pool->Allocate(kPage, false) != nullptr);
}

TEST_CASE("others read a segment and can neither write nor cut it (SM2)") {
  const auto pool = std::make_shared<SegmentPool>();
  const auto block = pool->Allocate(3 * kPage, false);
  std::memcpy(block.get() + kPage, "hello", 5);
  const auto found = pool->Find(block.get() + kPage, 5);
  REQUIRE(found);
  const auto* const place = std::get_if<SegmentPlace>(&*found);
  SegmentMap map(::getpid());
  const auto read = map.At(*place, 5);
  REQUIRE(read.ok());
  CHECK(std::memcmp(read->get(), "hello", 5) == 0);
  std::memcpy(block.get() + kPage, "other", 5);
  CHECK(std::memcmp(read->get(), "other", 5) == 0);  // the same memory
  CHECK(absl::IsInvalidArgument(map.At(*place, place->segment_bytes).status()));

  const std::string path = "/proc/self/fd/" + std::to_string(place->fd);
  const int writable = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(writable >= 0);
  CHECK(::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, writable, 0) == MAP_FAILED);
  CHECK(::write(writable, "x", 1) < 0);
  CHECK(::ftruncate(writable, 0) < 0);
  ::close(writable);
}

TEST_CASE("what is no segment is not mapped") {
  SegmentMap map(::getpid());
  const int plain = ::memfd_create("plain", MFD_CLOEXEC);
  REQUIRE(::ftruncate(plain, kPage) == 0);
  CHECK(
      absl::IsFailedPrecondition(map.At(SegmentPlace{.segment = 1, .fd = plain, .segment_bytes = kPage}, 8).status()));
  CHECK_FALSE(map.At(SegmentPlace{.segment = 1, .fd = 100000, .segment_bytes = kPage}, 8).ok());
  ::close(plain);
}

TEST_CASE("a fork gets nothing of the pool (SM5)") {
  const auto pool = std::make_shared<SegmentPool>();
  const auto block = pool->Allocate(kPage, false);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(pool->Allocate(kPage, false) == nullptr ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a segment that is empty is told of, unless it is the only one (SM4)") {
  const auto pool = std::make_shared<SegmentPool>(SegmentOptions{.segment_bytes = 4 * kPage});
  std::vector<uint64_t> unmapped;
  pool->OnUnmapped([&](uint64_t segment) { unmapped.push_back(segment); });
  auto first = pool->Allocate(4 * kPage, false);
  auto second = pool->Allocate(8 * kPage, false);
  CHECK(pool->segment_count() == 2);
  const uint64_t id = std::get<SegmentPlace>(*pool->Find(second.get(), 1)).segment;
  second.reset();
  CHECK(unmapped == std::vector<uint64_t>{id});
  first.reset();
  CHECK(pool->segment_count() == 1);
}

TEST_CASE("the only segment is unmapped when it was empty for a while, and a closed pool has none (SM4)") {
  const auto pool = std::make_shared<SegmentPool>(SegmentOptions{.keep_idle = absl::Milliseconds(5)});
  std::vector<absl::Duration> asked;
  pool->OnIdle([&](absl::Duration delay) { asked.push_back(delay); });
  pool->Allocate(kPage, false).reset();
  pool->Allocate(kPage, false).reset();
  CHECK(asked == std::vector<absl::Duration>{absl::Milliseconds(5)});  // once
  const base::Instant idle = base::Now();
  while (pool->segment_count() == 1) pool->Trim();
  CHECK(base::Now() - idle >= absl::Milliseconds(4));
  auto block = pool->Allocate(kPage, false);
  REQUIRE(block != nullptr);
  pool->Trim();
  pool->Close();
  CHECK(pool->segment_count() == 1);
  CHECK(pool->Allocate(kPage, false) == nullptr);
  block.reset();
  CHECK(pool->segment_count() == 0);
}

TEST_CASE("announced blocks of mixed sizes, of which little or nothing came, do not use up room for ever (SM6)") {
  const uint64_t seed = tests::Seed();
  INFO("TWINKLE_TEST_SEED=" << seed);
  tests::Random random(seed);
  const auto pool = std::make_shared<SegmentPool>(SegmentOptions{.segment_bytes = 1024 * kPage});
  const auto stays = pool->Allocate(kPage, false);
  std::vector<std::shared_ptr<std::byte>> blocks;  // of 20 pages at most: together a third of a segment
  for (int step = 0; step < 20'000; ++step) {
    if (blocks.size() < 16 && tests::OneIn(random, 2)) {
      blocks.push_back(pool->Reserve((1 + random() % 20) * kPage));
      REQUIRE(blocks.back() != nullptr);
      if (tests::OneIn(random, 4)) REQUIRE(pool->Reach(blocks.back().get(), 1));
    } else if (!blocks.empty()) {
      blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(random() % blocks.size()));
    }
    REQUIRE(pool->segment_count() == 1);
  }
}

TEST_CASE("a block that was cut off leaves room for another of its size, which takes its memory first (SM3, SM6)") {
  const auto pool = std::make_shared<SegmentPool>();
  auto block = pool->Reserve(64 * kPage);
  std::byte* const where = block.get();
  REQUIRE(pool->Reach(where, 3 * kPage));
  std::memset(where, 7, 3 * kPage);
  const auto after = pool->Allocate(kPage, false);
  block.reset();
  CHECK(pool->bytes_touched() == 4 * kPage);
  block = pool->Allocate(64 * kPage, true);
  CHECK(block.get() == where);
  CHECK(std::all_of(where, where + 64 * kPage, [](std::byte byte) { return byte == std::byte{0}; }));
  CHECK(pool->bytes_touched() == 65 * kPage);
}

// Memory of this process's segments, in bytes: as the pages are, since the process's counters lag behind.
size_t Resident() {
  std::ifstream sums("/proc/self/smaps_rollup");
  for (std::string line; std::getline(sums, line);) {
    if (line.rfind("Pss_Shmem:", 0) == 0) return std::strtoull(line.c_str() + 10, nullptr, 10) << 10;
  }
  return 0;
}

TEST_CASE("what is only announced takes memory as it is reached; the rest is free for others") {
  constexpr size_t kLarge = size_t{64} << 20;
  const auto pool = std::make_shared<SegmentPool>();
  const size_t before = Resident();
  auto block = pool->Reserve(kLarge);
  REQUIRE(block != nullptr);
  CHECK(Resident() == before);
  REQUIRE(pool->Reach(block.get(), 1000));
  block.get()[999] = std::byte{1};
  REQUIRE(pool->Reach(block.get(), 1 << 20));
  CHECK(Resident() - before >= size_t{1} << 20);
  CHECK(Resident() - before < size_t{2} << 20);
  const auto other = pool->Allocate(kPage, false);  // so that the segment stays
  const std::byte* const where = block.get();
  block.reset();
  CHECK(pool->bytes_touched() == (1 << 20) + kPage);
  const auto warm = pool->Allocate(1 << 20, true);
  CHECK(warm.get() == where);
  CHECK(warm.get()[999] == std::byte{0});
  const auto cold = pool->Allocate(kLarge - (1 << 20), true);
  CHECK(cold.get() == where + (1 << 20));
  CHECK(Resident() - before >= kLarge);
}

}  // namespace
}  // namespace twinkle::memory
