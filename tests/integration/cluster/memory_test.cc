// What a session takes of memory is given back, and what is short for a moment costs a call and no more.
#include <absl/strings/match.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/integration/cluster/programs.h"
#include "tests/integration/session.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

constexpr int64_t kRows = 16 << 20;  // of floats: 64 MiB

// Keeps what it is given, and gives what it made.
class Shelf {
 public:
  void Keep(const Tensor& tensor) { kept_.push_back(tensor); }
  Tensor Made(int64_t rows) { return *Tensor::Zeros(DType::kFloat32, {rows}); }

 private:
  std::vector<Tensor> kept_;
};
TWINKLE_REMOTE_CLASS(Shelf, (), (Keep, Dispatch::kAll), (Made, Collect::kFirst))

// What this process maps of memory for values, its own and that of others.
std::vector<std::string> Mappings() {
  std::vector<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (absl::StrContains(line, "/memfd:twinkle (")) found.push_back(line);
  }
  return found;
}
// As the pages are, not as the process's counters say: those lag behind where there are several threads.
int64_t SharedKiB() {
  std::ifstream sums("/proc/self/smaps_rollup");
  for (std::string line; std::getline(sums, line);) {
    if (absl::StartsWith(line, "Pss_Shmem:")) return std::strtoll(line.c_str() + 10, nullptr, 10);
  }
  return 0;
}

TEST_CASE("Finish leaves no value mapped and nothing lent, whatever others kept and handles still name") {
  const int64_t before = SharedKiB();
  std::optional<Remote<Shelf>> handle;
  std::optional<Lazy<Tensor>> unread;
  {
    auto session = Begin({.mode = Mode::kCluster, .groups = {Cpu("pool", 2)}});
    handle = Must(New<Shelf>({.remote_group = "pool"}));
    {
      Tensor zeros = *Tensor::Zeros(DType::kFloat32, {kRows});  // in a segment
      Tensor ones = *Tensor::FromVector(std::vector<float>(kRows, 1.0f));
      Must(handle->Keep(Put(std::move(zeros))).Get());
      Must(handle->Keep(Put(std::move(ones))).Get());
    }
    CHECK(SharedKiB() > before + kRows * 4 / 1024);
    unread = handle->Made(kRows);
    CHECK(Result(handle->Made(kRows)).rows() == kRows);
    CHECK_FALSE(Mappings().empty());
    CHECK(Told(session.Finish()) == "OK");
  }
  CHECK(Mappings() == std::vector<std::string>());
  CHECK(SharedKiB() <= before + 1024);  // the rings go with the last handle
}

// No descriptor is free while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few{256, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken_.push_back(fd);
  }
  ~NoDescriptors() {
    for (int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_CASE("a large result that comes while no descriptor is free is there all the same, and its maker is not lost") {
  auto session = Begin({.mode = Mode::kCluster, .groups = {Cpu("pool", 1)}});
  auto shelf = Must(New<Shelf>({.remote_group = "pool"}));
  CHECK(Result(shelf.Made(10)).rows() == 10);
  {
    const NoDescriptors none;
    CHECK(Result(shelf.Made(kRows)).rows() == kRows);
  }
  CHECK(Result(shelf.Made(kRows + 1)).rows() == kRows + 1);
  CHECK(Told(session.Finish()) == "OK");
}

TEST_CASE(
    "when the disk takes nothing no result is kept beyond the bound, and after a release the first call succeeds") {
  ::setenv("TWINKLE_SPILL_DIR", "/nowhere", 1);
  auto session = Begin({.mode = Mode::kCluster, .groups = {Cpu("pool", 1)}, .object_memory_bytes = 64 << 20});
  ::unsetenv("TWINKLE_SPILL_DIR");
  auto shelf = Must(New<Shelf>({.remote_group = "pool"}));
  std::vector<Lazy<Tensor>> made;
  for (int i = 0; i < 24; ++i) made.push_back(shelf.Made(2 << 20));  // of 8 MiB
  int kept = 0;
  for (const Lazy<Tensor>& one : made) {
    const absl::Status status = one.Wait(absl::Seconds(60));
    if (status.ok()) {
      ++kept;
      continue;
    }
    CHECK(absl::IsResourceExhausted(status));
    CHECK_THAT(std::string(status.message()), ContainsSubstring("67108864 are allowed (object_memory_bytes)"));
    CHECK_THAT(std::string(status.message()), ContainsSubstring("/nowhere"));
  }
  CHECK(kept <= 8);
  CHECK(kept >= 7);  // encoded they take a little more than 8 MiB
  made.clear();
  CHECK(Result(shelf.Made(2 << 20)).rows() == 2 << 20);
  CHECK(Told(session.Finish()) == "OK");
}

}  // namespace
}  // namespace twinkle::tests
