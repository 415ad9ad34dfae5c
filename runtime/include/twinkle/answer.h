// Answer: an absl::StatusOr whose value may be taken out where it stands.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace twinkle {

namespace internal {
template <class E, size_t n>
std::true_type SpanTest(const std::span<E, n>*);
std::false_type SpanTest(const void*);
template <class T>
inline constexpr bool kIsSpan = decltype(SpanTest(static_cast<const T*>(nullptr)))::value;
}  // namespace internal

// What functions give that people write into a loop or behind a star. `*answer` and `answer.value()` of a temporary are
// values, where absl::StatusOr gives references into what is about to go:
//   for (const auto& row : *policy.Generate(prompts).Get()) …       // the loop keeps the rows
//   for (float x : *(*trainer.Mean(3).Get()).data<float>()) …       // and these the tensor
// What `->` of a temporary leads to would go with it before the loop begins: it does not compile, but for spans, which
// own nothing. Everything else is absl::StatusOr's.
template <class T>
class [[nodiscard]] Answer : public absl::StatusOr<T> {
  using Base = absl::StatusOr<T>;

 public:
  Answer(Base answer) : Base(std::move(answer)) {}          // NOLINT: it is one
  Answer(absl::Status status) : Base(std::move(status)) {}  // NOLINT
  Answer(T value) : Base(std::move(value)) {}               // NOLINT

  using Base::operator*;
  using Base::value;
  T operator*() && { return std::move(base()).operator*(); }
  T operator*() const&& requires std::is_copy_constructible_v<T> { return static_cast<const Base&>(*this).operator*(); }
  T value() && { return std::move(base()).value(); }
  T value() const&& requires std::is_copy_constructible_v<T> { return static_cast<const Base&>(*this).value(); }
  T* operator->() & { return base().operator->(); }
  const T* operator->() const& { return static_cast<const Base&>(*this).operator->(); }
  template <class U = T>
  const U* operator->() const&& {
    static_assert(internal::kIsSpan<U>,
                  "twinkle: what -> of a temporary answer leads to may be gone when it is used: write "
                  "(*call.Get()).member instead of call.Get()->member, or keep the answer in a variable");
    return static_cast<const Base&>(*this).operator->();
  }

 private:
  Base& base() { return *this; }
};

}  // namespace twinkle
