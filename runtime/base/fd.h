// Fd: the owner of a file descriptor.
#pragma once

#include <utility>

namespace twinkle::base {

// Owns a descriptor and closes it. Move-only. For one thread at a time.
class Fd {
 public:
  Fd() = default;
  // Takes ownership of a descriptor as system calls return it: a negative one is none.
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  // Closes the descriptor that it had.
  Fd& operator=(Fd&& other) noexcept;

  int get() const { return fd_; }  // negative: there is none
  bool valid() const { return fd_ >= 0; }
  // Gives the descriptor to the caller, who must close it. Negative: there was none.
  int Release() { return std::exchange(fd_, -1); }
  // Closes the descriptor, if there is one.
  void Reset();

 private:
  int fd_ = -1;
};

}  // namespace twinkle::base
