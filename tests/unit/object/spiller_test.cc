#include "runtime/object/spiller.h"

#include <absl/strings/match.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/stepped_executor.h"
#include "tests/support/catch.h"

namespace twinkle::object {
namespace {

constexpr size_t kBytes = 1 << 20;
constexpr rpc::ProcessId kHolder = 3;

using FloatList = std::vector<float>;

codec::Described Value(float first) {
  FloatList floats(kBytes / sizeof(float), first);
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
    spiller_ = std::make_unique<Spiller>(SpillOptions{.cap_bytes = cap, .folder = folder}, &table, service_.get(),
                                         &executor_, "spill");
  }
  ~Keeper() {
    spiller_->Close();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  uint64_t Add(float first) {
    const uint64_t id = table.Insert(Value(first), kHolder, kBytes);
    spiller_->OnChanged();
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
    const auto& floats = *static_cast<const FloatList*>(value->value.get());
    REQUIRE(floats.size() == kBytes / sizeof(float));
    CHECK(floats.front() == floats.back());
    return floats.front();
  }
  void Run() { executor_.RunAll(); }
  base::SteppedExecutor& executor() { return executor_; }
  const std::filesystem::path& folder() const { return folder_; }

  ObjectTable table;

 private:
  base::SteppedExecutor executor_;
  std::filesystem::path folder_;
  std::unique_ptr<base::TaskQueue> service_;
  std::unique_ptr<Spiller> spiller_;
};

TEST_CASE("what was used longest ago goes to disk from four fifths of the cap on, and reads the same (OT4)") {
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

TEST_CASE("what somebody uses stays in memory") {
  Keeper keeper(2 * kBytes);
  const uint64_t id = keeper.Add(1);
  const codec::Described used = keeper.table.Find(id)->value;
  const uint64_t other = keeper.Add(2);
  keeper.Run();
  CHECK(keeper.table.Find(id)->file == nullptr);
  CHECK(keeper.table.Find(other)->file != nullptr);
  CHECK(keeper.table.bytes_in_memory() == kBytes);
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

TEST_CASE("objects of every size count") {
  ObjectTable table;
  const uint64_t small = table.Insert(codec::Hold(1), kHolder, 8);
  CHECK(table.bytes_in_memory() == 8);
  CHECK(table.bytes_counted() == 8 + ObjectTable::kSmallCost);
  const uint64_t large = table.Insert(Value(1), kHolder, kBytes);
  CHECK(table.bytes_counted() == 8 + ObjectTable::kSmallCost + kBytes);
  table.Release(small, kHolder);
  CHECK(table.bytes_counted() == kBytes);
  table.Insert(codec::Hold(2), kHolder, 8);
  table.Clear();
  CHECK(table.bytes_counted() == 0);
  CHECK_FALSE(table.Find(large).ok());
}

// ---- with threads: some wait
// A value that is written once this is open.
struct Gate {
  static std::atomic<bool> open;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(bytes);
    while (!open) std::this_thread::yield();
  }
  std::vector<uint8_t> bytes = std::vector<uint8_t>(kBytes);
};
std::atomic<bool> Gate::open = true;

class LiveKeeper {
 public:
  explicit LiveKeeper(uint64_t cap, const std::string& folder = std::filesystem::temp_directory_path(),
                      absl::Duration release_grace = absl::Milliseconds(20))
      : spiller_(
            SpillOptions{
                .cap_bytes = cap, .folder = folder, .retry_after = absl::Hours(1), .release_grace = release_grace},
            &table_, service_.get(), executor_.get(), "spill") {
    Gate::open = true;
  }
  ~LiveKeeper() { End(); }
  // As one who makes an object does.
  absl::StatusOr<uint64_t> Make(codec::Described value, uint64_t bytes = kBytes) {
    if (absl::Status room = spiller_.AwaitRoom(); !room.ok()) return room;
    absl::StatusOr<Admission> admission = spiller_.Admit(value, bytes);
    if (!admission.ok()) return admission.status();
    uint64_t id = 0;
    OnService([&] {
      id = table_.Insert(std::move(value), kHolder, bytes);
      if (admission->file != nullptr) table_.MoveToFile(id, admission->file);
      admission->room = nullptr;
      spiller_.OnChanged();
    });
    return id;
  }
  absl::StatusOr<uint64_t> Make() { return Make(Value(1)); }
  void Release(uint64_t id) {
    OnService([&] {
      table_.Release(id, kHolder);
      spiller_.OnChanged();
    });
  }
  void OnService(const std::function<void()>& task) {
    const auto done = std::make_shared<base::Event>();
    service_->Post([&task, done] {
      task();
      done->Set();
    });
    done->WaitUntil(base::kForever);
  }
  void End() {
    service_->Close();
    spiller_.Close();
  }
  Spiller& spiller() { return spiller_; }
  ObjectTable& table() { return table_; }

 private:
  const std::unique_ptr<base::Executor> executor_ = base::NewThreadExecutor();
  const std::unique_ptr<base::TaskQueue> service_ = executor_->NewQueue("service");
  ObjectTable table_;
  Spiller spiller_;
};

TEST_CASE("who makes one beyond the cap waits for what is being written (SP2, SP4)") {
  LiveKeeper keeper(kBytes);
  Gate::open = false;
  REQUIRE(keeper.Make(codec::Hold(Gate())).ok());
  bool made = false;
  bool was_open = false;
  std::thread maker([&] {
    made = keeper.Make().ok();
    was_open = Gate::open;
  });
  Gate::open = true;
  maker.join();
  CHECK(made);
  CHECK(was_open);
  CHECK(keeper.table().bytes_in_memory() <= kBytes);
}

TEST_CASE("beyond the cap nothing is accepted when the disk takes nothing; after a release at once (SP3, SP4)") {
  LiveKeeper keeper(4 * kBytes, "/nowhere");
  std::vector<uint64_t> ids;
  std::mutex mutex;
  absl::Status refused;
  const auto make = [&] {
    for (int i = 0; i < 4; ++i) {
      const auto made = keeper.Make();
      const std::lock_guard lock(mutex);
      if (made.ok()) ids.push_back(*made);
      if (!made.ok()) refused = made.status();
      CHECK(keeper.table().bytes_in_memory() <= 4 * kBytes);
    }
  };
  std::vector<std::thread> makers;
  for (int i = 0; i < 4; ++i) makers.emplace_back(make);
  for (std::thread& maker : makers) maker.join();
  CHECK(ids.size() == 4);
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(absl::StrContains(refused.message(), "object_memory_bytes"));
  CHECK(absl::StrContains(refused.message(), "they cannot go to disk: cannot make a file in /nowhere"));
  for (uint64_t id : ids) keeper.Release(id);
  CHECK(keeper.Make().ok());
}

TEST_CASE("a release that is under way makes room for who is just being refused (SP2)") {
  LiveKeeper keeper(2 * kBytes, "/nowhere", absl::Seconds(30));
  const uint64_t first = *keeper.Make();
  REQUIRE(keeper.Make().ok());
  std::thread releasing([&] { keeper.Release(first); });
  CHECK(keeper.Make().ok());
  releasing.join();
}

TEST_CASE("small objects that fill the memory are refused, too (SP4)") {
  LiveKeeper keeper(100 * ObjectTable::kSmallCost);
  int made = 0;
  absl::Status refused;
  while (refused.ok() && made < 1000) {
    refused = keeper.Make(codec::Hold(made), 8).status();
    if (refused.ok()) ++made;
  }
  CHECK(made <= 100);
  CHECK(made > 90);
  CHECK(absl::IsResourceExhausted(refused));
  CHECK(absl::StrContains(refused.message(), "what is left of them is in use or small"));
}

TEST_CASE("who asked before the last refusal, and nothing was released since, is refused at once (SP2)") {
  LiveKeeper keeper(2 * kBytes, "/nowhere", absl::Seconds(30));
  REQUIRE(keeper.Make().ok());
  const uint64_t known = keeper.spiller().refusals();
  CHECK(keeper.spiller().AwaitRoom(known).ok());
  LiveKeeper full(100 * ObjectTable::kSmallCost);
  absl::StatusOr<uint64_t> made = uint64_t{0};
  uint64_t last = 0;
  while (made.ok()) {
    last = *made;
    made = full.Make(codec::Hold(1), 8);
  }
  CHECK(full.spiller().refusals() == 1);
  CHECK(full.spiller().AwaitRoom(0) == made.status());
  CHECK(full.spiller().refusals() == 1);  // nobody has waited
  full.Release(last);
  CHECK(full.spiller().AwaitRoom(0).ok());
}

TEST_CASE("what is larger than all that may be in memory goes to disk before it is kept, or is refused (SP4)") {
  LiveKeeper keeper(kBytes / 2);
  const uint64_t id = *keeper.Make();
  CHECK(keeper.table().bytes_in_memory() == 0);
  keeper.OnService([&] { CHECK(keeper.table().Find(id)->file != nullptr); });
  LiveKeeper full(kBytes / 2, "/nowhere");
  CHECK(absl::IsResourceExhausted(full.Make().status()));
  CHECK(full.table().size() == 0);
}

// A folder that is there or is not.
class Disk {
 public:
  Disk() : path_(std::filesystem::temp_directory_path() / ("spiller_test.disk." + std::to_string(::getpid()))) {
    Break();
  }
  ~Disk() { Break(); }
  void Mend() { std::filesystem::create_directories(path_); }
  void Break() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

TEST_CASE("what the disk has refused to one it is asked again for the next, at once (SP5)") {
  Disk disk;
  const uint64_t cap = GENERATE(kBytes / 2, 2 * kBytes);  // for what is made itself, or for what was made before
  LiveKeeper keeper(cap, disk.path());
  absl::StatusOr<uint64_t> made = keeper.Make();
  for (int i = 0; i < 4 && made.ok(); ++i) made = keeper.Make();
  REQUIRE(absl::IsResourceExhausted(made.status()));
  CHECK(absl::StrContains(made.status().message(), "cannot make a file in " + disk.path()));
  disk.Mend();
  CHECK(keeper.Make().ok());
  CHECK(keeper.table().bytes_on_disk() > 0);
}

TEST_CASE("who waits asks the disk again when there is less on it (SP5)") {
  Disk disk;
  disk.Mend();
  LiveKeeper keeper(kBytes / 2, disk.path(), absl::Seconds(30));
  const uint64_t first = *keeper.Make();
  disk.Break();
  std::thread releasing([&] {
    disk.Mend();
    keeper.Release(first);
  });
  CHECK(keeper.Make().ok());
  releasing.join();
}

TEST_CASE("Close ends every wait, also while the disk does not answer (SP2)") {
  LiveKeeper keeper(kBytes);
  Gate::open = false;
  REQUIRE(keeper.Make(codec::Hold(Gate())).ok());
  std::atomic<int> ended = 0;
  std::vector<std::thread> makers;
  for (int i = 0; i < 4; ++i) {
    makers.emplace_back([&] { ended += keeper.spiller().Admit(Value(1), kBytes).ok() ? 1 : 0; });
  }
  std::thread closing([&] { keeper.End(); });
  for (std::thread& maker : makers) maker.join();
  CHECK(ended == 4);
  CHECK_FALSE(Gate::open);
  Gate::open = true;
  closing.join();
}

TEST_CASE("without a cap nothing is written, and nobody waits") {
  LiveKeeper keeper(0);
  for (int i = 0; i < 8; ++i) CHECK(keeper.Make().ok());
  CHECK(keeper.table().bytes_on_disk() == 0);
}

}  // namespace
}  // namespace twinkle::object
