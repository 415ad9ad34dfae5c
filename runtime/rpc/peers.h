// Peers: a transport's table of its peers.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/mutex.h"
#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// A table with an entry for each peer process. Process ids are never used again, so an entry is one incarnation, and a
// peer that is lost stays lost. An entry is made when it is first asked for, and stays as long as the table. Entries
// that were asked for lately are found without a lock: most processes have few peers, and ask for one with each frame.
// Thread-safe; T must be thread-safe by itself.
template <class T>
class Peers {
 public:
  // The entry of a peer. A new entry's value comes from `make(number of entries before)`, which returns a
  // std::unique_ptr<T> and is called under the table's lock.
  template <class Make>
  T& At(ProcessId peer, Make&& make) {
    std::atomic<Entry*>& slot = lately_[peer % lately_.size()];
    if (Entry* const entry = slot.load(std::memory_order_acquire); entry != nullptr && entry->peer == peer) {
      return *entry->value;
    }
    base::MutexLock lock(&mutex_);
    const auto [found, is_new] = entries_.try_emplace(peer, nullptr);
    if (is_new) {
      in_order_.push_back(std::make_unique<Entry>(Entry{peer, make(in_order_.size())}));
      found->second = in_order_.back().get();
      size_.store(in_order_.size(), std::memory_order_release);
    }
    slot.store(found->second, std::memory_order_release);
    return *found->second->value;
  }
  T& At(ProcessId peer) {
    return At(peer, [](size_t) { return std::make_unique<T>(); });
  }

  // The number of entries, which only grows.
  size_t size() const { return size_.load(std::memory_order_acquire); }
  // All entries, in the order in which they were made.
  std::vector<std::pair<ProcessId, T*>> All() const {
    base::MutexLock lock(&mutex_);
    std::vector<std::pair<ProcessId, T*>> all;
    for (const auto& entry : in_order_) all.emplace_back(entry->peer, entry->value.get());
    return all;
  }

 private:
  struct Entry {
    ProcessId peer;
    std::unique_ptr<T> value;
  };

  std::array<std::atomic<Entry*>, 64> lately_ = {};  // the entry asked for last, by the id's remainder
  std::atomic<size_t> size_ = 0;
  mutable base::Mutex mutex_;
  std::vector<std::unique_ptr<Entry>> in_order_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<ProcessId, Entry*> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace twinkle::rpc
