#include "tests/integration/cluster/programs.h"

#include <fcntl.h>

#include <filesystem>
#include <iostream>

namespace twinkle::tests {
namespace {

DeviceGroup Pool(int ranks) { return {.name = "pool", .ranks = ranks, .device_type = "cpu"}; }

int Fail(const absl::Status& status) {
  std::cout << "FAILED " << status << std::endl;
  return 1;
}

// Four ranks asleep, one with a grandchild; says so, and waits for them.
int Sleeper(int argc, char** argv) {
  auto session = Initialize(argc, argv, {.groups = {Pool(4)}});
  if (!session.ok()) return Fail(session.status());
  const auto probe = New<Probe>({.remote_group = "pool"});
  if (!probe.ok()) return Fail(probe.status());
  if (!probe->Rank(1).StartGrandchild().Get().ok()) return 1;
  const auto sleeping = probe->Sleep(100);
  std::cout << "SLEEPING" << std::endl;
  const auto& slept = sleeping.Get();
  if (!slept.ok()) return Fail(slept.status());
  return 0;
}

// One call on a group of ranks of that type.
int Once(int argc, char** argv, const std::string& device_type, int ranks) {
  auto session = Initialize(argc, argv,
                            {.groups = {{.name = "pool", .ranks = ranks, .device_type = device_type}},
                             .nproc_per_node = 4,
                             .placement_timeout = absl::Seconds(2)});
  if (!session.ok()) return Fail(session.status());
  std::cout << DevicePlacement();
  const auto probe = New<Probe>({.remote_group = "pool"});
  if (!probe.ok()) return Fail(probe.status());
  const auto values = probe->Variables({"CUDA_VISIBLE_DEVICES", "TWINKLE_NODE", "LOCAL_RANK"});
  if (!values.Get().ok()) return Fail(values.Get().status());
  for (const auto& value : *values.Get()) {
    std::cout << "rank: devices '" << value.at("CUDA_VISIBLE_DEVICES") << "' on " << value.at("TWINKLE_NODE")
              << ", local rank " << value.at("LOCAL_RANK") << std::endl;
  }
  if (absl::Status ended = session->Finish(); !ended.ok()) return Fail(ended);
  std::cout << "DONE" << std::endl;
  return 0;
}

// Keeps a named component until it is told to end.
int Keeper(int argc, char** argv) {
  auto session = Initialize(argc, argv, {.groups = {Pool(2)}});
  if (!session.ok()) return Fail(session.status());
  const auto probe = New<Probe>({.remote_group = "pool", .name = "kept"});
  if (!probe.ok() || !probe->component().WaitReady(absl::Seconds(20)).ok()) return 1;
  std::cout << "KEEPING" << std::endl;
  while (true) ::pause();
}

// Finds it, from a job of its own.
int Finder(int argc, char** argv) {
  auto session = Initialize(argc, argv, {.groups = {Pool(2)}});
  if (!session.ok()) return Fail(session.status());
  const auto found = Find<Probe>("kept");
  if (!found.ok()) return Fail(found.status());
  std::cout << "size " << found->component().world_size() << std::endl;
  const auto where = found->Text("found");
  if (!where.Get().ok()) return Fail(where.Get().status());
  for (const std::string& text : *where.Get()) std::cout << text << std::endl;
  std::vector<int64_t> large(100'000, 1);
  const auto sum = found->Sum(large);  // pulled from here
  if (!sum.Get().ok()) return Fail(sum.Get().status());
  std::cout << "sum " << *sum.Get() << std::endl;
  const auto own = New<Probe>({.remote_group = "pool"});
  if (!own.ok()) return Fail(own.status());
  const auto totals = found->Total(own->Ones(1 << 20));  // pulled from this job's ranks by those of the other
  if (!totals.Get().ok()) return Fail(totals.Get().status());
  for (double total : *totals.Get()) std::cout << "total " << static_cast<int64_t>(total) << std::endl;
  if (const auto wrong = Find<Relay>("kept"); !wrong.ok()) std::cout << "wrong class: " << wrong.status() << std::endl;
  std::cout << "FOUND" << std::endl;
  const auto lost = found->Sleep(100);
  std::cout << "then: " << lost.Get().status() << std::endl;
  return 0;
}

// Two ranks on one node give 32 MiB each to both of two on another.
int Spread(int argc, char** argv, Compression compression, bool wait) {
  const std::string file = argv[0] + std::string(".txt");
  auto session = Initialize(argc, argv,
                            {.groups = {Pool(2), {.name = "other", .ranks = 2, .device_type = "cpu"}},
                             .files = {file},
                             .compression = compression});
  if (!session.ok()) return Fail(session.status());
  const auto producer = New<Probe>({.remote_group = "pool"});
  const auto consumer = New<Probe>({.remote_group = "other"});
  if (!producer.ok() || !consumer.ok()) return 1;
  const auto ones = producer->Ones(1 << 23);
  const auto totals = consumer->Total(ones);
  if (!totals.Get().ok()) return Fail(totals.Get().status());
  const auto from = producer->Variables({"TWINKLE_NODE"});
  const auto to = consumer->Variables({"TWINKLE_NODE"});
  if (!from.Get().ok() || !to.Get().ok()) return 1;
  std::cout << "total " << static_cast<int64_t>(totals.Get()->at(1)) << " on " << from.Get()->at(0).at("TWINKLE_NODE")
            << ", " << from.Get()->at(1).at("TWINKLE_NODE") << " -> " << to.Get()->at(0).at("TWINKLE_NODE") << ", "
            << to.Get()->at(1).at("TWINKLE_NODE") << std::endl;
  const auto shipped = consumer->File(file.substr(file.rfind('/') + 1));
  if (!shipped.Get().ok()) return Fail(shipped.Get().status());
  std::cout << "file: " << shipped.Get()->at(1) << std::endl;
  if (wait) {
    const auto sleeping = consumer->Sleep(100);
    std::cout << "WAITING" << std::endl;
    if (!sleeping.Get().ok()) return Fail(sleeping.Get().status());
  }
  const absl::Status ended = session->Finish();
  return ended.ok() ? 0 : Fail(ended);
}

// Two ranks on one node give a mebibyte each to both of two on another, again and again, until there is a file.
int Ticks(int argc, char** argv, const std::string& end) {
  auto session = Initialize(argc, argv, {.groups = {Pool(2), {.name = "other", .ranks = 2, .device_type = "cpu"}}});
  if (!session.ok()) return Fail(session.status());
  const auto producer = New<Probe>({.remote_group = "pool"});
  const auto consumer = New<Probe>({.remote_group = "other"});
  if (!producer.ok() || !consumer.ok()) return 1;
  for (int tick = 1; !std::filesystem::exists(end); ++tick) {
    const auto totals = consumer->Total(producer->Ones(1 << 18));
    if (!totals.Get().ok()) return Fail(totals.Get().status());
    if (totals.Get()->at(0) != 2.0 * (1 << 18)) return Fail(absl::DataLossError("it is not what it was"));
    std::cout << "TICK " << tick << std::endl;
  }
  const absl::Status ended = session->Finish();
  return ended.ok() ? 0 : Fail(ended);
}

// Keeps ten results of 8 MiB of each of two ranks, which may have 24 MiB in memory, and reads them in the end.
int Hoarder(int argc, char** argv, const std::string& files) {
  constexpr int64_t kRows = 1 << 21;
  auto session = Initialize(argc, argv, {.groups = {Pool(2)}, .object_memory_bytes = 24 << 20});
  if (!session.ok()) return Fail(session.status());
  const auto probe = New<Probe>({.remote_group = "pool"});
  if (!probe.ok()) return Fail(probe.status());
  std::vector<Lazy<Tensor>> kept;
  for (int i = 0; i < 10; ++i) {
    kept.push_back(probe->Ones(kRows));
    if (const absl::Status made = kept.back().Wait(absl::Seconds(60)); !made.ok()) return Fail(made);
  }
  std::cout << "KEPT" << std::endl;
  AwaitFile(files + "read");
  for (const Lazy<Tensor>& one : kept) {
    const auto totals = probe->Total(one);
    if (!totals.Get().ok()) return Fail(totals.Get().status());
    if (totals.Get()->at(1) != 2.0 * kRows) return Fail(absl::DataLossError("it is not what it was"));
  }
  kept.clear();
  std::cout << "READ" << std::endl;
  AwaitFile(files + "end");
  const absl::Status ended = session->Finish();
  return ended.ok() ? 0 : Fail(ended);
}

// Says what became of the beginning.
int Begin(int argc, char** argv) {
  const auto session = Initialize(argc, argv, {.groups = {Pool(1)}});
  std::cout << (session.ok() ? "BEGAN" : session.status().ToString()) << std::endl;
  return session.ok() ? 0 : 1;
}

// Four ranks print so many lines each.
int Chatter(int argc, char** argv, int64_t lines) {
  auto session = Initialize(argc, argv, {.groups = {Pool(4)}});
  if (!session.ok()) return Fail(session.status());
  const auto probe = New<Probe>({.remote_group = "pool"});
  if (!probe.ok()) return Fail(probe.status());
  const auto chatted = probe->Chat(lines);
  if (!chatted.Get().ok()) return Fail(chatted.Get());
  const absl::Status ended = session->Finish();
  return ended.ok() ? 0 : Fail(ended);
}

// Prints numbers until it is killed. The last one that it has surely printed stands in the file.
class Counter {
 public:
  void Count(const std::string& file) {
    const int last = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (int64_t number = 0; !Context().Cancelled(); ++number) {
      std::printf("%ld\n", static_cast<long>(number));
      static_cast<void>(::pwrite(last, &number, sizeof(number), 0));
    }
  }
};
TWINKLE_REMOTE_CLASS(Counter, (), (Count, Dispatch::kAll))

int Count(int argc, char** argv, const std::string& file) {
  auto session = Initialize(argc, argv, {.groups = {Pool(1)}});
  if (!session.ok()) return Fail(session.status());
  const auto counter = New<Counter>({.remote_group = "pool"});
  if (!counter.ok()) return Fail(counter.status());
  return counter->Count(file).Get().ok() ? 0 : 1;
}

// Shows a progress bar that goes on once the file is there.
int ProgressBar(int argc, char** argv, const std::string& file) {
  auto session = Initialize(argc, argv, {.groups = {Pool(1)}});
  if (!session.ok()) return Fail(session.status());
  const auto probe = New<Probe>({.remote_group = "pool"});
  if (!probe.ok()) return Fail(probe.status());
  const auto shown = probe->Progress(file);
  if (!shown.Get().ok()) return Fail(shown.Get());
  const absl::Status ended = session->Finish();
  return ended.ok() ? 0 : Fail(ended);
}

// Goes to a folder below, and lengthens a variable, before Initialize: in each process once.
int Moved(int argc, char** argv) {
  if (::chdir("sub") != 0) return 1;
  const char* const old = std::getenv("TWINKLE_TEST_PATH");
  ::setenv("TWINKLE_TEST_PATH", (std::string("new:") + (old == nullptr ? "" : old)).c_str(), 1);
  auto session = Initialize(argc, argv, {.groups = {Pool(1)}});
  if (!session.ok()) return Fail(session.status());
  const auto probe = New<Probe>({.remote_group = "pool"});
  if (!probe.ok()) return Fail(probe.status());
  const auto directory = probe->Directory();
  const auto variables = probe->Variables({"TWINKLE_TEST_PATH"});
  if (!directory.Get().ok() || !variables.Get().ok()) return Fail(directory.Get().status());
  std::cout << "rank in " << directory.Get()->at(0) << "\nrank with " << variables.Get()->at(0).at("TWINKLE_TEST_PATH")
            << std::endl;
  return 0;
}

// Has no standard descriptors at its start, and prints all the same.
int Closed(int argc, char** argv) {
  auto session = Initialize(argc, argv, {.groups = {Pool(1)}});
  if (!session.ok()) return 3;
  for (int i = 0; i < 1000; ++i) std::cout << "what is printed goes nowhere" << std::endl;
  for (const int fd : {1, 2}) {  // the first is gRPC's, which takes one as it is loaded
    std::error_code error;
    const auto file = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    if (file != "/dev/null") return 4 + fd;
  }
  const auto probe = New<Probe>({.remote_group = "pool"});
  if (!probe.ok() || !probe->Where().Get().ok()) return 8;
  return session->Finish().ok() ? 0 : 9;
}

// As a worker process it has better things to do than to reach Initialize.
int Late(int argc, char** argv) {
  if (std::getenv("TWINKLE_ROLE_FD") == nullptr) return Begin(argc, argv);
  std::cout << "busy" << std::endl;
  while (true) ::pause();
}

// As a worker process it does not even begin.
int Broken(int argc, char** argv) {
  if (std::getenv("TWINKLE_ROLE_FD") == nullptr) return Begin(argc, argv);
  std::cerr << "error while loading shared libraries: libnowhere.so" << std::endl;
  return 127;
}

}  // namespace

int RunProgram(const std::string& name, int argc, char** argv) {
  if (name == "sleeper") return Sleeper(argc, argv);
  if (name == "once") return Once(argc, argv, argv[3], std::atoi(argv[4]));
  if (name == "keeper") return Keeper(argc, argv);
  if (name == "finder") return Finder(argc, argv);
  if (name == "late") return Late(argc, argv);
  if (name == "broken") return Broken(argc, argv);
  if (name == "spread") {
    return Spread(argc, argv, std::string(argv[3]) == "zstd" ? Compression::kZstd : Compression::kNone, false);
  }
  if (name == "spread-and-wait") return Spread(argc, argv, Compression::kAuto, true);
  if (name == "ticks") return Ticks(argc, argv, argv[3]);
  if (name == "hoarder") return Hoarder(argc, argv, argv[3]);
  if (name == "chatter") return Chatter(argc, argv, std::atoi(argv[3]));
  if (name == "counter") return Count(argc, argv, argv[3]);
  if (name == "progress") return ProgressBar(argc, argv, argv[3]);
  if (name == "begin") return Begin(argc, argv);
  if (name == "moved") return Moved(argc, argv);
  if (name == "closed") return Closed(argc, argv);
  std::cout << "there is no program " << name << std::endl;
  return 2;
}

}  // namespace twinkle::tests
