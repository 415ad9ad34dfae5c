// The owner of a file descriptor.
#pragma once

#include <utility>

namespace twinkle::base {

// Closes the descriptor at its end. Move-only; for one thread at a time.
class Fd {
 public:
  Fd() = default;
  // Takes the descriptor over, as the kernel's calls return it: a negative one is none.
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  // Closes what it had.
  Fd& operator=(Fd&& other) noexcept;

  int get() const { return fd_; }  // negative: there is none
  bool valid() const { return fd_ >= 0; }
  // The descriptor, which the caller closes from now on. Negative: there was none.
  int Release() { return std::exchange(fd_, -1); }
  // Closes it, if there is one.
  void Reset();

 private:
  int fd_ = -1;
};

}  // namespace twinkle::base
