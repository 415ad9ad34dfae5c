#include "runtime/object/spiller.h"

#include <absl/strings/match.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"

namespace twinkle::object {
namespace {

constexpr size_t kBytes = 1 << 20;
constexpr rpc::ProcessId kHolder = 3;

using Floats = std::vector<float>;

codec::Described Value(float first) {
  Floats floats(kBytes / sizeof(float), first);
  return codec::Hold(std::move(floats));
}

// A table whose memory is looked after, in a folder of its own.
class Keeper {
 public:
  explicit Keeper(uint64_t cap, std::string folder = {}) {
    if (folder.empty()) {
      folder_ = std::filesystem::temp_directory_path() / ("spiller_test." + std::to_string(::getpid()));
      std::filesystem::create_directories(folder_);
      folder = folder_;
    }
    service_ = executor_.NewQueue("service");
    spiller_ = std::make_unique<Spiller>(SpillOptions{cap, folder}, &table, service_.get(), &executor_, "spill");
  }
  ~Keeper() {
    spiller_->Close();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  uint64_t Add(float first) {
    const uint64_t id = table.Insert(Value(first), kHolder, kBytes);
    spiller_->OnInserted();
    return id;
  }
  // What a reader gets, from wherever it is.
  float Read(uint64_t id) {
    const auto found = table.Find(id);
    REQUIRE(found.ok());
    absl::StatusOr<codec::Described> value = found->value;
    if (found->file != nullptr) {
      spiller_->Load(found->value.type, found->file,
                     [&](absl::StatusOr<codec::Described> loaded) { value = std::move(loaded); });
      Run();
    }
    REQUIRE(value.ok());
    const auto& floats = *static_cast<const Floats*>(value->value.get());
    REQUIRE(floats.size() == kBytes / sizeof(float));
    CHECK(floats.front() == floats.back());
    return floats.front();
  }
  void Run() { executor_.RunAll(); }
  Spiller& spiller() { return *spiller_; }
  base::SteppedExecutor& executor() { return executor_; }
  const std::filesystem::path& folder() const { return folder_; }

  ObjectTable table;

 private:
  base::SteppedExecutor executor_;
  std::filesystem::path folder_;
  std::unique_ptr<base::TaskQueue> service_;
  std::unique_ptr<Spiller> spiller_;
};

TEST_CASE("what was used longest ago goes to disk from four fifths of the cap on, and reads the same (O4)") {
  Keeper keeper(5 * kBytes);
  std::vector<uint64_t> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(keeper.Add(static_cast<float>(i)));
  keeper.Run();
  CHECK(keeper.table.bytes_on_disk() == 0);
  CHECK(keeper.Read(ids[0]) == 0);  // now the second is the oldest
  ids.push_back(keeper.Add(4));
  ids.push_back(keeper.Add(5));
  keeper.Run();
  CHECK(keeper.table.bytes_in_memory() == 4 * kBytes);
  CHECK(keeper.table.bytes_on_disk() == 2 * kBytes);
  CHECK(keeper.table.Find(ids[0])->file == nullptr);
  CHECK(keeper.table.Find(ids[1])->file != nullptr);
  CHECK(keeper.table.Find(ids[2])->file != nullptr);
  for (size_t i = 0; i < ids.size(); ++i) CHECK(keeper.Read(ids[i]) == static_cast<float>(i));
  CHECK(std::filesystem::is_empty(keeper.folder()));  // files have no names
  for (uint64_t id : ids) keeper.table.Release(id, kHolder);
  CHECK(keeper.table.bytes_in_memory() == 0);
  CHECK(keeper.table.bytes_on_disk() == 0);
}

TEST_CASE("what somebody uses stays in memory, and nobody waits for that (P2)") {
  Keeper keeper(2 * kBytes);
  const uint64_t id = keeper.Add(1);
  const codec::Described used = keeper.table.Find(id)->value;
  const uint64_t other = keeper.Add(2);
  keeper.Run();
  CHECK(keeper.table.Find(id)->file == nullptr);
  CHECK(keeper.table.Find(other)->file != nullptr);
  const uint64_t large = keeper.table.Insert(Value(3), kHolder, 4 * kBytes);
  const codec::Described also_used = keeper.table.Find(large)->value;
  keeper.spiller().OnInserted();
  keeper.Run();
  CHECK(keeper.table.bytes_in_memory() == 5 * kBytes);
  CHECK(keeper.spiller().AwaitRoom().ok());
}

TEST_CASE("an object that is released while it is written is gone") {
  Keeper keeper(kBytes);
  const uint64_t id = keeper.Add(1);
  REQUIRE(keeper.executor().Step("spill"));  // written, but that is not known yet
  keeper.table.Release(id, kHolder);
  keeper.Run();
  CHECK(keeper.table.bytes_on_disk() == 0);
  CHECK(keeper.table.size() == 0);
}

TEST_CASE("above the cap a thread that makes more waits for what is being written (P2)") {
  Keeper keeper(2 * kBytes);
  for (int i = 0; i < 4; ++i) keeper.Add(1);
  std::atomic<bool> has_room = false;
  std::thread maker([&] {
    const bool room = keeper.spiller().AwaitRoom().ok();
    has_room = room;
  });
  CHECK_FALSE(has_room);
  keeper.Run();
  maker.join();
  CHECK(has_room);
  CHECK(keeper.table.bytes_in_memory() <= 2 * kBytes);
}

TEST_CASE("what cannot be written stays, and who makes more is told which folder takes nothing (P3)") {
  Keeper keeper(2 * kBytes, "/nowhere");
  const uint64_t first = keeper.Add(1);
  keeper.Add(2);
  keeper.Add(3);
  keeper.Run();
  CHECK(keeper.Read(first) == 1);
  const absl::Status full = keeper.spiller().AwaitRoom();
  CHECK(absl::IsResourceExhausted(full));
  CHECK(absl::StrContains(full.message(), "/nowhere"));
  CHECK(absl::StrContains(full.message(), "object_memory_bytes"));
  keeper.table.Release(first, kHolder);
  CHECK(keeper.spiller().AwaitRoom().ok());  // there is room again
}

TEST_CASE("Close ends every wait (P2)") {
  Keeper keeper(kBytes);
  keeper.Add(1);
  keeper.Add(2);
  std::thread maker([&] { keeper.spiller().AwaitRoom().IgnoreError(); });
  keeper.spiller().Close();
  maker.join();
}

TEST_CASE("without a cap nothing is written") {
  Keeper keeper(0);
  for (int i = 0; i < 8; ++i) keeper.Add(1);
  keeper.Run();
  CHECK(keeper.table.bytes_on_disk() == 0);
  CHECK(keeper.spiller().AwaitRoom().ok());
}

}  // namespace
}  // namespace twinkle::object
