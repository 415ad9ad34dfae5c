// Output that one watcher has not been sent yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "worker/output_store.h"

namespace twinkle::worker {

// Bounded in bytes: who does not keep up loses the oldest, and is told how many lines where they would have been. For
// one thread at a time.
class OutputBacklog {
 public:
  explicit OutputBacklog(size_t most_bytes) : most_bytes_(most_bytes) {}

  void Add(OutputStore::Message message);
  // The next message for the watcher; null: there is none.
  OutputStore::Message Next();

 private:
  void Lose();

  size_t most_bytes_;
  std::deque<std::pair<OutputStore::Message, size_t>> waiting_;  // with their sizes
  size_t bytes_ = 0;
  uint64_t lost_ = 0;         // lines that would have come next
  v1::Output::Line lost_of_;  // one of them, without its text
};

}  // namespace twinkle::worker
