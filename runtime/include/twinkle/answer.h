// Answer: an absl::StatusOr whose value may be taken out where it stands.
#pragma once

#include <absl/base/attributes.h>
#include <absl/status/statusor.h>

#include <type_traits>
#include <utility>

namespace twinkle {

// What functions give that people write into a loop or behind a star. `*answer` and `answer.value()` of a temporary are
// values, where absl::StatusOr gives references into what is about to go:
//   for (const auto& row : *policy.Generate(prompts).Get()) …       // the loop keeps the rows
//   for (float x : *(*trainer.Mean(3).Get()).data<float>()) …       // and these the tensor
// What `->` of a temporary leads to goes with it at the end of the expression, and no type can hinder a loop from going
// over that in C++20 (in C++23 the loop keeps it):
//   const float loss = trainer.Step().Get()->loss;                  // right
//   for (const auto& row : trainer.Step().Get()->rows) …            // wrong: reads what is gone
//   for (const auto& row : (*trainer.Step().Get()).rows) …          // right: a member of a value is kept with it
// clang++ from 19 on warns of the wrong one (-Wdangling), the address sanitizer stops there.
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
  T* operator->() && ABSL_ATTRIBUTE_LIFETIME_BOUND { return base().operator->(); }
  const T* operator->() const&& ABSL_ATTRIBUTE_LIFETIME_BOUND { return static_cast<const Base&>(*this).operator->(); }

 private:
  Base& base() { return *this; }
};

}  // namespace twinkle
