// Bytes: an immutable run of bytes, which its copies share. It is sent without a copy.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace twinkle {

// An immutable run of bytes. Reading it is thread-safe.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string contents) {
    auto kept = std::make_shared<const std::string>(std::move(contents));
    view_ = *kept;
    owner_ = std::move(kept);
  }
  // Refers to `contents`, which `owner` keeps alive and nobody changes.
  Bytes(std::shared_ptr<const void> owner, std::string_view contents) : owner_(std::move(owner)), view_(contents) {}

  std::string_view view() const { return view_; }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  bool operator==(const Bytes& other) const { return view_ == other.view_; }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace twinkle
