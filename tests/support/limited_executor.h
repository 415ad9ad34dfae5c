// A stepped executor that has only so many threads.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/stepped_executor.h"

namespace twinkle::tests {

class LimitedExecutor final : public base::Executor {
 public:
  explicit LimitedExecutor(int threads) : most(threads) {}

  std::unique_ptr<base::TaskQueue> NewQueue(std::string name) override {
    if (made >= most) return nullptr;
    ++made;
    return stepped.NewQueue(std::move(name));
  }
  base::Instant Now() const override { return stepped.Now(); }

  base::SteppedExecutor stepped;
  int most;
  int made = 0;
};

}  // namespace twinkle::tests
