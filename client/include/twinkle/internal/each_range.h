// EachRange: the range over the calls of an iterated method.
#pragma once

#include <twinkle/internal/runtime.h>
#include <twinkle/lazy.h>

#include <cstddef>
#include <iterator>
#include <utility>

namespace twinkle::internal {

// What Each() of an iterated method returns: a single-pass range of lazies. It ends when any rank has no further item.
// A call that fails gives one lazy that holds the failure, and then the end.
template <class T>
class EachRange {
 public:
  using Start = LazyPtr (*)(const ComponentRef*, CallSite);
  EachRange(ComponentPtr component, CallSite site, Start start)
      : component_(std::move(component)), site_(site), start_(start) {}

  class iterator {
   public:
    using value_type = Lazy<T>;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const Lazy<T>*;
    using reference = const Lazy<T>&;

    iterator() = default;
    explicit iterator(const EachRange* range) : range_(range) { Next(); }
    reference operator*() const { return current_; }
    pointer operator->() const { return &current_; }
    iterator& operator++() {
      Next();
      return *this;
    }
    void operator++(int) { Next(); }
    bool operator==(const iterator& other) const { return range_ == other.range_; }

   private:
    void Next() {
      if (failed_) {
        range_ = nullptr;
        return;
      }
      LazyPtr core = range_->start_(RawComponent(range_->component_), range_->site_);
      if (LazyEnded(core)) {
        range_ = nullptr;
        return;
      }
      failed_ = LazyFailed(core);
      current_ = LazyAccess::Make<T>(std::move(core));
    }

    const EachRange* range_ = nullptr;  // null at the end
    Lazy<T> current_;
    bool failed_ = false;
  };

  iterator begin() const { return iterator(this); }
  iterator end() const { return {}; }

 private:
  ComponentPtr component_;  // kept here because the handle may be a temporary
  CallSite site_;
  Start start_;
};

}  // namespace twinkle::internal
