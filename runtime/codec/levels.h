// Levels: how deep a walk over a value has come.
#pragma once

#include "runtime/codec/codec.h"

namespace twinkle::codec {

// Counts levels as Decode does, so that what is sent can be read. For one thread at a time.
class Levels {
 public:
  // Calls f one level deeper. There are kMostLevels: below them f is not called, and it is too deep from now on.
  template <class F>
  void Deeper(F&& f) {
    if (left_ == 0) {
      too_deep_ = true;
      return;
    }
    --left_;
    f();
    ++left_;
  }
  bool too_deep() const { return too_deep_; }

 private:
  int left_ = kMostLevels;
  bool too_deep_ = false;
};

}  // namespace twinkle::codec
