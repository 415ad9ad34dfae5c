// Numbers are those of the invariants in shared_memory.h.
#include "tests/support/shared_memory_conformance.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>
#include <variant>

#include "tests/support/catch.h"

namespace twinkle::memory {
namespace {

using Block = std::shared_ptr<std::byte>;
using Seen = absl::StatusOr<std::shared_ptr<const std::byte>>;

constexpr size_t kBlockBytes = 10'000;
constexpr size_t kRoom = 64 * kBlockBytes;

Block Filled(SharedMemory& memory, int mark) {
  const std::vector<std::byte> bytes(kBlockBytes, static_cast<std::byte>(mark));
  Block block = memory.CopyOf(bytes.data(), bytes.size());
  REQUIRE(block != nullptr);
  return block;
}

bool IsFilled(const std::byte* data, int mark) {
  return std::all_of(data, data + kBlockBytes, [mark](std::byte byte) { return byte == static_cast<std::byte>(mark); });
}

Place PlaceOf(const SharedMemory& memory, const Block& block) {
  const std::optional<Place> place = memory.Find(block.get(), kBlockBytes);
  REQUIRE(place.has_value());
  return *place;
}

uint64_t ChunkOf(const Place& place) {
  return std::visit([](const auto& at) { return at.segment; }, place);
}

// In a fork of this process, whose memory is then as it was.
void InFork(const std::function<bool()>& step, bool* stepped) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGSEGV, SIG_DFL);
    ::signal(SIGBUS, SIG_DFL);
    ::_exit(step() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  *stepped = status == 0;
}

void OthersSeeABlockAsItIs(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  const auto reader = fixture.Start(kRoom);
  const Block block = Filled(*owner.memory, 1);
  auto mapped = reader.memory->MappedOf(owner.pid);
  const Seen seen = mapped->At(PlaceOf(*owner.memory, block), kBlockBytes);
  REQUIRE(seen.ok());
  CHECK(IsFilled(seen->get(), 1));
  const std::optional<Place> last = owner.memory->Find(block.get() + kBlockBytes - 1, 1);
  REQUIRE(last.has_value());
  block.get()[kBlockBytes - 1] = std::byte{7};
  const Seen byte = mapped->At(*last, 1);
  REQUIRE(byte.ok());
  CHECK(**byte == std::byte{7});
  mapped = nullptr;  // what was given out stays mapped
  CHECK((*seen).get()[0] == std::byte{1});
}

void BlocksDoNotTouchEachOther(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  const auto mapped = fixture.Start(kRoom).memory->MappedOf(owner.pid);
  std::vector<Block> blocks;
  std::vector<Seen> seen;
  for (int mark = 0; mark < 8; ++mark) {
    blocks.push_back(Filled(*owner.memory, mark));
    seen.push_back(mapped->At(PlaceOf(*owner.memory, blocks.back()), kBlockBytes));
    REQUIRE(seen.back().ok());
  }
  for (size_t i = 0; i < blocks.size(); i += 2) blocks[i] = Filled(*owner.memory, 9);
  for (size_t i = 1; i < blocks.size(); i += 2) {
    CHECK(IsFilled(seen[i]->get(), static_cast<int>(i)));
  }
}

void OtherBytesAreNowhere(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  const Block block = Filled(*owner.memory, 1);
  const std::vector<std::byte> elsewhere(kBlockBytes);
  CHECK_FALSE(owner.memory->Find(elsewhere.data(), elsewhere.size()).has_value());
  CHECK_FALSE(owner.memory->Find(block.get(), SIZE_MAX / 2).has_value());
  CHECK_FALSE(fixture.Start(kRoom).memory->Find(block.get(), 1).has_value());
}

void PlacesOutsideAreRefused(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  const auto mapped = fixture.Start(kRoom).memory->MappedOf(owner.pid);
  const Block block = Filled(*owner.memory, 1);
  Place place = PlaceOf(*owner.memory, block);
  CHECK(absl::IsInvalidArgument(mapped->At(place, SIZE_MAX / 2).status()));
  std::visit([](auto& at) { at.offset = SIZE_MAX - 1; }, place);
  CHECK(absl::IsInvalidArgument(mapped->At(place, 1).status()));
}

void AChunkThatHasGoneIsToldOnce(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  const auto reader = fixture.Start(kRoom);
  const auto mapped = reader.memory->MappedOf(owner.pid);
  std::vector<uint64_t> gone;
  bool asked = false;
  owner.memory->OnUnmapped([&](uint64_t chunk) { gone.push_back(chunk); });
  owner.memory->OnIdle([&](absl::Duration) { asked = true; });
  std::set<uint64_t> chunks;
  for (size_t round = 1; round <= 3; ++round) {
    Block block = Filled(*owner.memory, 1);
    const Place place = PlaceOf(*owner.memory, block);
    CHECK(chunks.insert(ChunkOf(place)).second);
    const Seen seen = mapped->At(place, kBlockBytes);
    REQUIRE(seen.ok());
    block = nullptr;
    REQUIRE((asked || !gone.empty()));
    while (gone.size() < round) owner.memory->Trim();
    CHECK(gone.back() == ChunkOf(place));
    mapped->Forget(gone.back());
    CHECK(IsFilled(seen->get(), 1));  // who has it mapped keeps what was there
    const absl::Status again = mapped->At(place, kBlockBytes).status();
    CHECK_FALSE(again.ok());
    CHECK_FALSE(absl::IsResourceExhausted(again));
  }
}

void OnlyTheOwnerWrites(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  const Block block = Filled(*owner.memory, 1);
  const Seen seen = fixture.Start(kRoom).memory->MappedOf(owner.pid)->At(PlaceOf(*owner.memory, block), kBlockBytes);
  REQUIRE(seen.ok());
  bool ignored = false;
  InFork([&] { return (const_cast<std::byte*>(seen->get())[5] = std::byte{9}) == std::byte{9}; }, &ignored);
  CHECK(IsFilled(block.get(), 1));
}

void AForkGetsAndGivesBackNothing(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  Block block = Filled(*owner.memory, 1);
  const Place place = PlaceOf(*owner.memory, block);
  bool nothing = false;
  InFork(
      [&] {
        block = nullptr;
        const std::byte byte{};
        return owner.memory->CopyOf(&byte, 1) == nullptr;
      },
      &nothing);
  CHECK(nothing);
  const Block other = Filled(*owner.memory, 2);
  CHECK(IsFilled(block.get(), 1));
  const Seen seen = fixture.Start(kRoom).memory->MappedOf(owner.pid)->At(place, kBlockBytes);
  REQUIRE(seen.ok());
  CHECK(IsFilled(seen->get(), 1));
}

void BeyondItsRoomAndAfterCloseThereIsNothing(SharedMemoryFixture& fixture) {
  const auto owner = fixture.Start(kRoom);
  const std::vector<std::byte> large(2 * kRoom);
  CHECK(owner.memory->CopyOf(large.data(), large.size()) == nullptr);
  const Block block = Filled(*owner.memory, 1);
  owner.memory->Close();
  owner.memory->Close();
  CHECK(owner.memory->CopyOf(large.data(), 1) == nullptr);
  const Place place = PlaceOf(*owner.memory, block);
  const Seen seen = fixture.Start(kRoom).memory->MappedOf(owner.pid)->At(place, kBlockBytes);
  REQUIRE(seen.ok());
  CHECK(IsFilled(seen->get(), 1));
}

}  // namespace

const std::vector<SharedMemoryCheck>& SharedMemoryChecks() {
  static const std::vector<SharedMemoryCheck> checks = {
      {"others see a block as it is, and keep what they have mapped (SH1)", OthersSeeABlockAsItIs},
      {"blocks do not touch each other, in whatever order they go (SH1)", BlocksDoNotTouchEachOther},
      {"bytes that are not in the memory have no place in it", OtherBytesAreNowhere},
      {"a place outside its chunk is refused", PlacesOutsideAreRefused},
      {"a chunk that has gone is told of once, and its number is not another's (SH2)", AChunkThatHasGoneIsToldOnce},
      {"who maps a chunk cannot change it (SH3)", OnlyTheOwnerWrites},
      {"a fork gets nothing, and gives nothing back (SH4)", AForkGetsAndGivesBackNothing},
      {"beyond its room, and after Close, there is nothing; what is there stays",
       BeyondItsRoomAndAfterCloseThereIsNothing},
  };
  return checks;
}

}  // namespace twinkle::memory
