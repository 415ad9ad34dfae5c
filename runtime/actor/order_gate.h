// The gate that lets the calls of a domain through in the order of their numbers. Each process of a domain has one.
#pragma once

#include <absl/container/inlined_vector.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>

namespace twinkle::actor {

// Holds items back until their turn. It has no failures and no end: what still waits goes with it. For one thread at a
// time. `Item` is what waits, a movable type. Invariants:
//  OG1 numbered items come out in the order 1, 2, 3, …, skipped numbers left out;
//  OG2 an item that comes after number n comes out after n and before its sender's next number;
//  OG3 items that come after the same number come out in the order in which they arrived.
template <class Item>
class OrderGate {
 public:
  using Items = absl::InlinedVector<Item, 1>;

  // Arrive, ArriveAfter and Skip return the items that may go now, in order.
  Items Arrive(uint64_t number, Item item) {
    if (number < next_) return {};  // was skipped
    numbered_.emplace(number, std::move(item));
    return Advance();
  }
  Items ArriveAfter(uint64_t after, Item item) {
    Items out;
    if (after < next_) {
      out.push_back(std::move(item));
    } else {
      after_.emplace(after, std::move(item));
    }
    return out;
  }
  Items Skip(uint64_t number) {
    if (number >= next_) skipped_.insert(number);
    numbered_.erase(number);
    return Advance();
  }
  uint64_t next() const { return next_; }

 private:
  Items Advance() {
    Items out;
    while (true) {
      if (const auto item = numbered_.find(next_); item != numbered_.end()) {
        out.push_back(std::move(item->second));
        numbered_.erase(item);
      } else if (skipped_.erase(next_) == 0) {
        return out;
      }
      const auto [begin, end] = after_.equal_range(next_);
      for (auto waiting = begin; waiting != end; ++waiting) out.push_back(std::move(waiting->second));
      after_.erase(begin, end);
      ++next_;
    }
  }

  uint64_t next_ = 1;
  std::map<uint64_t, Item> numbered_;
  std::multimap<uint64_t, Item> after_;
  std::set<uint64_t> skipped_;
};

}  // namespace twinkle::actor
