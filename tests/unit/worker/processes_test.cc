// Against a spawner that says what the test wants. Numbers are those of the invariants in processes.h.
#include "worker/processes.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;

absl::StatusOr<Launch> Nothing() {
  Launch launch;
  launch.directory = "/somewhere";
  for (base::Fd* fd : {&launch.executable, &launch.role, &launch.output, &launch.error}) {
    *fd = base::Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  }
  return launch;
}

v1::FromSpawner Forked(uint64_t key, int pid) {
  v1::FromSpawner message;
  message.mutable_forked()->set_key(key);
  message.mutable_forked()->set_pid(pid);
  return message;
}
v1::FromSpawner Executed(uint64_t key) {
  v1::FromSpawner message;
  message.mutable_executed()->set_key(key);
  return message;
}
v1::FromSpawner NotStarted(uint64_t key, const std::string& why) {
  v1::FromSpawner message;
  message.mutable_not_started()->set_key(key);
  message.mutable_not_started()->set_why(why);
  return message;
}
v1::FromSpawner Ended(uint64_t key, int status) {
  v1::FromSpawner message;
  message.mutable_ended()->set_key(key);
  message.mutable_ended()->set_status(status);
  return message;
}

v1::FromSpawner Cleared(uint64_t key) {
  v1::FromSpawner message;
  message.mutable_cleared()->set_key(key);
  return message;
}

// Processes, and the other end of their socket, on one loop.
struct Fake : Processes::Listener {
  explicit Fake(ProcessesOptions options = {}) {
    auto pair = rpc::SocketPair();
    REQUIRE(pair.ok());
    socket = std::move(pair->second);
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    reader = std::make_unique<rpc::MessageReader>(socket.get(), rpc::ReaderLimits{.descriptors = true});
    writer = std::make_unique<rpc::MessageWriter>(socket.get());
    processes = std::make_unique<Processes>(options, Spawner{0, std::move(pair->first)}, &loop, &timers, this);
  }
  // Reads whatever comes, from now on.
  void Listen(std::function<void(const v1::ToSpawner&)> on_message) {
    loop.Watch(socket.get(), [this, on_message = std::move(on_message)] {
      v1::ToSpawner message;
      while (true) {
        const auto read = reader->Next(&message);
        if (!read.ok()) return loop.Forget(socket.get());
        if (!*read) return;
        descriptors += reader->TakeFds().size();
        on_message(message);
      }
    });
  }
  void Say(const v1::FromSpawner& message) { Written(writer->Write(message)); }
  void Written(const absl::StatusOr<bool>& done) {
    if (done.ok() && !*done) loop.WaitWritable(socket.get(), [this] { Written(writer->Flush()); });
  }
  // Until that many events were told; false after a long time.
  bool Run(size_t events) {
    until = events;
    bool in_time = true;
    loop.PostAfter(absl::Seconds(30), [this, &in_time] {
      in_time = false;
      loop.Stop();
    });
    loop.Run();
    return in_time;
  }
  void Tell(const std::string& text) {
    told.push_back(text);
    if (told.size() == until) loop.Stop();
  }
  void OnStarted(uint64_t key, pid_t pid) override {
    Tell(absl::StrCat("started ", key, " as ", pid));
    if (settles) processes->Settle(key);
  }
  void OnNotStarted(uint64_t key, const std::string& why) override {
    Tell(absl::StrCat("not started ", key, ": ", why));
  }
  void OnEnded(uint64_t key, int status) override { Tell(absl::StrCat("ended ", key, " with ", status)); }
  void OnCleared(uint64_t key) override { Tell(absl::StrCat("cleared ", key)); }
  void OnSpawnerGone() override { Tell("gone"); }

  base::FdLoop loop;
  AwakeTimers timers{[this](absl::Duration wait, base::Task task) { loop.PostAfter(wait, std::move(task)); },
                     &base::Now};
  base::Fd socket;
  std::unique_ptr<rpc::MessageReader> reader;
  std::unique_ptr<rpc::MessageWriter> writer;
  std::unique_ptr<Processes> processes;
  std::vector<std::string> told;
  size_t until = 0;
  bool settles = true;
  size_t descriptors = 0;
};

TEST_CASE("a start is answered, and a process that started ends, once each, whatever else is said (PS1)") {
  Fake fake;
  fake.Listen([&](const v1::ToSpawner& message) {
    if (!message.has_spawn()) return;
    const uint64_t key = message.spawn().key();
    for (uint64_t other : {uint64_t{77}, key}) {  // the first is of nobody
      fake.Say(Executed(other));
      fake.Say(Ended(other, 9));
      fake.Say(Forked(other, 1000));
      fake.Say(Forked(other, 1001));
      if (key == 2) fake.Say(NotStarted(other, "no room"));
      fake.Say(Executed(other));
      fake.Say(Executed(other));
      fake.Say(NotStarted(other, "too late"));
      fake.Say(Cleared(other));  // before its end
      fake.Say(Ended(other, 9));
      fake.Say(Ended(other, 10));
      fake.Say(Cleared(other));
      fake.Say(Cleared(other));
    }
  });
  for (uint64_t key : {1, 2}) fake.processes->Start(key, Nothing);
  CHECK(fake.Run(4));
  CHECK(fake.told ==
        std::vector<std::string>{"started 1 as 1000", "ended 1 with 9", "cleared 1", "not started 2: no room"});
  CHECK(fake.descriptors == 8);
}

TEST_CASE("no more starts than the window allows are under way, and what waits holds no descriptor (PS2)") {
  constexpr size_t kStarts = 200;
  constexpr size_t kWindow = 8;
  Fake fake({.window = kWindow});
  std::vector<uint64_t> unanswered;
  size_t made = 0;
  size_t most = 0;
  fake.Listen([&](const v1::ToSpawner& message) {
    unanswered.push_back(message.spawn().key());
    most = std::max(most, unanswered.size());
    CHECK(made <= unanswered.back() - 1 + kWindow);
    if (unanswered.size() < kWindow) return;
    for (const uint64_t key : std::exchange(unanswered, {})) {
      fake.Say(Forked(key, static_cast<int>(key)));
      fake.Say(key % 2 == 0 ? Executed(key) : NotStarted(key, "odd"));
    }
  });
  for (uint64_t key = 1; key <= kStarts; ++key) {
    fake.processes->Start(key, [&made] {
      ++made;
      return Nothing();
    });
  }
  CHECK(made == 0);
  CHECK(fake.Run(kStarts));
  CHECK(most == kWindow);
  CHECK(made == kStarts);
}

TEST_CASE("who has not settled keeps its place among those under way, but not for ever (PS2)") {
  for (const bool for_long : {true, false}) {
    Fake fake({.window = 1, .settle_limit = for_long ? absl::Hours(1) : absl::Milliseconds(1)});
    fake.settles = false;
    fake.Listen([&](const v1::ToSpawner& message) {
      fake.Tell(absl::StrCat("asked for ", message.spawn().key()));
      fake.Say(Forked(message.spawn().key(), 5));
      fake.Say(Executed(message.spawn().key()));
    });
    for (uint64_t key : {1, 2}) fake.processes->Start(key, Nothing);
    const std::function<void()> settle = [&] {
      if (fake.told.size() < 2) return fake.loop.PostAfter(absl::Milliseconds(1), settle);
      fake.Tell("settles");
      fake.processes->Settle(1);
    };
    if (for_long) settle();
    CHECK(fake.Run(for_long ? 5 : 4));
    std::vector<std::string> expected = {"asked for 1", "started 1 as 5", "asked for 2", "started 2 as 5"};
    if (for_long) expected.insert(expected.begin() + 2, "settles");
    CHECK(fake.told == expected);
  }
}

TEST_CASE("neither side waits for the other to read, however much there is to say") {
  constexpr uint64_t kStarts = 1500;
  Fake fake({.window = 2000});
  uint64_t read = 0;
  const auto on_message = [&](const v1::ToSpawner& message) {
    ++read;
    const uint64_t key = message.spawn().key();
    for (const auto& answer : {Forked(key, 5), Executed(key), Ended(key, 0)}) fake.Say(answer);
  };
  for (uint64_t key = 1; key <= kStarts; ++key) fake.processes->Start(key, Nothing);
  // The loop comes here, though nobody has read a word of it yet.
  fake.loop.PostAfter(absl::Milliseconds(20), [&] {
    CHECK(fake.told.empty());
    CHECK(read == 0);
    fake.Listen(on_message);
  });
  CHECK(fake.Run(2 * kStarts));
  CHECK(read == kStarts);
}

TEST_CASE("what waits for its turn is taken out of the queue by SIGKILL") {
  Fake fake({.window = 1});
  std::vector<uint64_t> asked;
  fake.Listen([&](const v1::ToSpawner& message) {
    if (!message.has_spawn()) return;
    asked.push_back(message.spawn().key());
    if (asked.size() == 1) {
      fake.processes->Signal(2, SIGTERM);
      fake.processes->Signal(2, SIGKILL);
      return;
    }
    fake.Say(Forked(3, 7));
    fake.Say(Executed(3));
  });
  for (uint64_t key : {1, 2, 3}) fake.processes->Start(key, Nothing);
  fake.loop.PostAfter(absl::Milliseconds(5), [&] { fake.Say(NotStarted(1, "no")); });
  CHECK(fake.Run(3));
  CHECK(fake.told == std::vector<std::string>{"not started 2: it was ended before its turn to start had come",
                                              "not started 1: no", "started 3 as 7"});
  CHECK(asked == std::vector<uint64_t>{1, 3});
}

TEST_CASE("who does not become the program within the limit is given up, and delays nobody (PS3)") {
  Fake fake({.window = 2, .exec_limit = absl::Milliseconds(200), .settle_limit = absl::Milliseconds(1)});
  std::vector<int> signalled;
  fake.Listen([&](const v1::ToSpawner& message) {
    if (message.has_signal()) {
      signalled.push_back(static_cast<int>(message.signal().key()));
      CHECK(message.signal().number() == SIGKILL);
      fake.Say(Executed(message.signal().key()));  // too late
      fake.Say(Ended(message.signal().key(), 9));
      return;
    }
    const uint64_t key = message.spawn().key();
    if (key == 1) fake.Say(Forked(key, 5));  // and hangs
    if (key < 3) return;                     // the second is not answered at all
    fake.Say(Forked(key, 6));
    fake.Say(Executed(key));
  });
  for (uint64_t key : {1, 2, 3}) fake.processes->Start(key, Nothing);
  CHECK(fake.Run(3));
  REQUIRE(fake.told.size() == 3);
  CHECK(fake.told[0] == "started 3 as 6");
  CHECK_THAT(fake.told[1], ContainsSubstring("not started 1: it did not become the program within 200ms"));
  CHECK_THAT(fake.told[1], ContainsSubstring("'/somewhere'"));
  CHECK_THAT(fake.told[2], ContainsSubstring("not started 2: the node's spawner has not answered within 200ms"));
}

TEST_CASE("what cannot be made is not started, with the reason") {
  Fake fake;
  fake.processes->Start(1, [] { return absl::ResourceExhaustedError("no descriptors are left"); });
  CHECK(fake.Run(1));
  CHECK(fake.told == std::vector<std::string>{"not started 1: no descriptors are left"});
}

TEST_CASE("the end of the spawner is told once, and nothing after it (PS4)") {
  Fake fake;
  fake.Listen([&](const v1::ToSpawner&) {
    fake.loop.Forget(fake.socket.get());
    fake.Say(Forked(1, 5));
    fake.Say(Executed(1));
    fake.socket.Reset();
  });
  fake.processes->Start(1, Nothing);
  fake.loop.PostAfter(absl::Milliseconds(30), [&] {
    fake.processes->Signal(1, SIGTERM);
    fake.processes->Start(2, Nothing);
    fake.loop.PostAfter(absl::Milliseconds(5), [&] { fake.Tell("end"); });
  });
  CHECK(fake.Run(3));
  CHECK(fake.told == std::vector<std::string>{"started 1 as 5", "gone", "end"});
}

TEST_CASE("a spawner that does not end is killed, and waited for no longer than its limit") {
  Fake fake;
  auto pair = rpc::SocketPair();
  REQUIRE(pair.ok());
  const pid_t pid = ::fork();
  if (pid == 0) {
    while (true) ::pause();
  }
  REQUIRE(pid > 0);
  ProcessesOptions options;
  options.end_limit = absl::Milliseconds(50);
  Processes processes(options, Spawner{pid, std::move(pair->first)}, &fake.loop, &fake.timers, &fake);
  CHECK_FALSE(processes.EndSpawner());
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(fake.told.empty());
}

TEST_CASE("of a spawner that was stopped and killed nothing is left: no folder that was to go with it, no group") {
  Fake fake;
  const tests::Folder folder;
  for (const char* const name : {"kept/file", "forgotten/file", "twinkle-7/process-3"}) {
    std::filesystem::create_directories(folder / name);
  }
  auto pair = rpc::SocketPair();
  REQUIRE(pair.ok());
  const pid_t pid = ::fork();
  if (pid == 0) {
    while (true) ::raise(SIGSTOP);
  }
  REQUIRE(pid > 0);
  std::function<void()> leftovers;
  {
    Processes processes({}, Spawner{pid, std::move(pair->first), folder / "twinkle-7"}, &fake.loop, &fake.timers,
                        &fake);
    processes.KeepScratch(folder / "kept");
    processes.KeepScratch(folder / "forgotten");
    processes.ForgetScratch(folder / "forgotten");
    CHECK_FALSE(processes.EndSpawner());
    CHECK(::waitpid(pid, nullptr, 0) == pid);
    leftovers = processes.Leftovers();
  }
  leftovers();
  CHECK_FALSE(std::filesystem::exists(folder / "kept"));
  CHECK_FALSE(std::filesystem::exists(folder / "twinkle-7"));
  CHECK(std::filesystem::exists(folder / "forgotten"));
}

}  // namespace
}  // namespace twinkle::worker
