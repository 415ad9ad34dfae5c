// The output that one watcher has not been sent yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "worker/output_store.h"

namespace twinkle::worker {

// A queue of output for one watcher, bounded in bytes. A watcher that does not keep up loses the oldest lines, and is
// told in their place how many. For one thread at a time.
class OutputBacklog {
 public:
  explicit OutputBacklog(size_t most_bytes) : most_bytes_(most_bytes) {}

  // Appends a message. If the queue holds more than `most_bytes` then, the oldest messages are dropped; the newest
  // always stays.
  void Add(OutputStore::Message message);
  // The next message for the watcher; null: there is none.
  OutputStore::Message Next();

 private:
  void Lose();

  size_t most_bytes_;
  std::deque<std::pair<OutputStore::Message, size_t>> waiting_;  // messages and their sizes in bytes
  size_t bytes_ = 0;
  uint64_t lost_ = 0;         // lines that were dropped from the front
  v1::Output::Line lost_of_;  // one of the dropped lines, without its text
};

}  // namespace twinkle::worker
