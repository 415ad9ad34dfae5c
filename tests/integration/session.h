// What the tests of the programming interface share: sessions, gates to wait at, and failures as text.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/twinkle.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::tests {

// "OK", or the code and the message, without payloads.
inline std::string Told(const absl::Status& status) {
  return status.ok() ? "OK" : absl::StatusCodeToString(status.code()) + ": " + std::string(status.message());
}
template <class T>
std::string Told(const absl::StatusOr<T>& answer) {
  return Told(answer.status());
}

// The value; the test case fails with the status when there is none.
template <class T>
T Must(absl::StatusOr<T> answer) {
  if (!answer.ok()) throw std::runtime_error(Told(answer));
  return *std::move(answer);
}
inline void Must(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(Told(status));
}
// What the call came to.
template <class T>
T Result(const Lazy<T>& lazy) {
  return Must(lazy.Get());
}

inline const char* NameOf(Mode mode) {
  return mode == Mode::kLocal ? "local" : mode == Mode::kInProcess ? "in process" : "cluster";
}

inline DeviceGroup Cpu(std::string name, int ranks) {
  return {.name = std::move(name), .ranks = ranks, .device_type = "cpu"};
}
// A device group: its ranks have one lane each for all their objects. No device is needed.
inline DeviceGroup Devices(std::string name, int ranks) {
  return {.name = std::move(name), .ranks = ranks, .device_type = "cuda"};
}

// Whether the ranks are to be processes, on a private cluster, where a test says kInProcess: a second run of the tests
// for which it makes no difference.
inline bool OnCluster() {
  static const char* const mode = std::getenv("TWINKLE_TEST_MODE");
  return mode != nullptr && std::string(mode) == "cluster";
}

inline Session Begin(InitializeOptions options) {
  if (OnCluster() && options.mode == Mode::kInProcess) options.mode = Mode::kCluster;
  char name[] = "test";
  char* argv[] = {name, nullptr};
  return Must(Initialize(1, argv, std::move(options)));
}
inline Session Begin(Mode mode, std::vector<DeviceGroup> groups) {
  return Begin({.mode = mode, .groups = std::move(groups)});
}

inline DeviceMesh Mesh(MeshSizes sizes) { return Must(DeviceMesh::FromSizes(sizes)); }

template <class T>
Tensor TensorOf(std::vector<T> values) {
  return Must(Tensor::FromVector<T>(std::move(values)));
}
template <class T>
Tensor TensorOf(std::vector<T> values, std::vector<int64_t> shape) {
  return Must(Tensor::FromVector<T>(std::move(values), std::move(shape)));
}
template <class T>
std::vector<T> Items(const Tensor& tensor) {
  const auto data = Must(tensor.data<T>());
  return std::vector<T>(data.begin(), data.end());
}

// Open until it is closed. Closing it sets those free who still wait from before: threads that a session has abandoned.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
    ++generation_;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, generation = generation_] { return open_ || generation != generation_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int generation_ = 0;
};

// A gate that is closed in a scope, and open after it: a test case that fails leaves no thread waiting.
class ClosedHere {
 public:
  explicit ClosedHere(Gate& gate) : gate_(gate) { gate_.Close(); }
  ~ClosedHere() { gate_.Open(); }
  ClosedHere(const ClosedHere&) = delete;
  ClosedHere& operator=(const ClosedHere&) = delete;

 private:
  Gate& gate_;
};

// Leaves a call only once it has ended for its caller.
inline void AwaitCancelled() {
  const RankContext context = Context();
  while (!context.Cancelled()) std::this_thread::yield();
}

// A list that threads add to.
template <class T>
class Log {
 public:
  void Add(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  std::vector<T> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(items_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<T> items_;
};

// What is written to stderr while it lives.
class CapturedStderr {
 public:
  CapturedStderr() : before_(dup(STDERR_FILENO)), file_(std::tmpfile()) {
    std::fflush(stderr);
    dup2(fileno(file_), STDERR_FILENO);
  }
  ~CapturedStderr() {
    std::fflush(stderr);
    dup2(before_, STDERR_FILENO);
    close(before_);
    std::fclose(file_);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::string Text() {
    std::fflush(stderr);
    std::string text(static_cast<size_t>(lseek(fileno(file_), 0, SEEK_END)), '\0');
    const ssize_t read = pread(fileno(file_), text.data(), text.size(), 0);
    text.resize(read < 0 ? 0 : static_cast<size_t>(read));
    return text;
  }

 private:
  const int before_;
  std::FILE* const file_;
};

}  // namespace twinkle::tests
