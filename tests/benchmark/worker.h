// The remote classes under test, and how a benchmark begins.
#pragma once

#include <twinkle/twinkle.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace twinkle::benchmark {

// Elements of a 1 MiB and of a 256 MiB array of float32.
inline constexpr int64_t kMiB = int64_t{1} << 18;
inline constexpr int64_t kBig = 256 * kMiB;

template <class T>
T Must(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << value.status() << '\n';
  std::exit(1);
}

// A new array, written whole.
inline Tensor Filled(int64_t elements, float value) {
  Tensor tensor = Must(Tensor::Empty(DType::kFloat32, {elements}));
  const auto elements_of = Must(tensor.mutable_data<float>());
  std::fill(elements_of.begin(), elements_of.end(), value);
  return tensor;
}

// Reads one number of each page of 4 KiB.
inline double TouchPages(const Tensor& tensor) {
  double sum = 0;
  const auto data = tensor.data<float>();
  for (size_t i = 0; data.ok() && i < data->size(); i += 1024) sum += static_cast<double>((*data)[i]);
  return sum;
}

class Worker {
 public:
  int64_t Echo(int64_t number) { return number + 1; }
  std::vector<int64_t> EchoSlice(const std::vector<int64_t>& numbers) { return numbers; }
  int64_t Pid() { return ::getpid(); }
  void Sleep() { std::this_thread::sleep_for(std::chrono::seconds(50)); }

  double Touch(const Tensor& tensor) { return TouchPages(tensor); }
  Tensor Make(int64_t elements, float value) { return Filled(elements, value); }
  // Arrays that Produce gives from then on.
  void Prepare(int64_t count, int64_t elements) {
    items_.clear();
    for (int64_t i = 0; i < count; ++i) {
      items_.push_back(Filled(elements, static_cast<float>(i)));
      items_.back().Freeze();
    }
  }
  std::vector<Tensor> Produce() { return items_; }
  // How many bytes they have.
  int64_t Consume(const std::vector<Tensor>& items) {
    int64_t bytes = 0;
    for (const Tensor& item : items) {
      if (TouchPages(item) < 0) return -1;
      bytes += item.bytes();
    }
    return bytes;
  }

 private:
  std::vector<Tensor> items_;
};
TWINKLE_REMOTE_CLASS(Worker, (), (Echo), (EchoSlice, Dispatch::kSliceDp, Collect::kFlatten), (Pid), (Sleep),
                     (Touch, Dispatch::kAll), (Make, Collect::kFirst), (Prepare), (Produce, Collect::kFlatten),
                     (Consume, Dispatch::kSlice, Collect::kSum))

// Calls another rank's object as fast as it can.
class Driver {
 public:
  void Use(const Remote<Worker>& callee) { callee_ = callee; }
  // All calls are made, then all results are taken.
  void Drive(int64_t calls) {
    std::vector<Lazy<std::vector<int64_t>>> lazies;
    lazies.reserve(static_cast<size_t>(calls));
    for (int64_t i = 0; i < calls; ++i) lazies.push_back(callee_.Echo(i));
    for (const auto& lazy : lazies) Must(lazy.Get());
  }

 private:
  Remote<Worker> callee_;
};
TWINKLE_REMOTE_CLASS(Driver, (), (Use), (Drive))

inline DeviceGroup Group(std::string name, int ranks) {
  return {.name = std::move(name), .ranks = ranks, .device_type = "cpu"};
}

struct Arguments {
  int argc = 0;
  char** argv = nullptr;
  bool quick = false;

  int samples(int full) const { return quick ? full / 20 + 1 : full; }
};

inline Session Begin(const Arguments& arguments, std::vector<DeviceGroup> groups) {
  return Must(Initialize(arguments.argc, arguments.argv,
                         {.groups = std::move(groups), .abort_grace = absl::Milliseconds(100)}));
}

// Data-parallel over the group's ranks.
inline Remote<Worker> NewWorker(const std::string& group, int ranks) {
  return Must(New<Worker>({.remote_group = group, .device_mesh = Must(DeviceMesh::FromSizes({.dp = ranks}))}));
}

}  // namespace twinkle::benchmark
