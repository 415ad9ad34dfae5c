// Answer and Maybe: an absl::StatusOr and a std::optional whose value may be used while they are temporaries.
#pragma once

#include <absl/base/attributes.h>
#include <absl/status/statusor.h>

#include <optional>
#include <type_traits>
#include <utility>

namespace twinkle {

// What public functions that may fail return. An Answer is an absl::StatusOr, and can be passed wherever one is
// expected. The one difference: `*answer` and `answer.value()` of a temporary return values, where absl::StatusOr
// returns references into the temporary:
//   const auto& mesh = *twinkle::DeviceMesh::FromSizes({.dp = 2});  // the reference keeps the mesh
//   for (const auto& row : *policy.Generate(prompts).Get()) …       // the loop keeps the rows
//   for (float x : *(*trainer.Mean(3).Get()).data<float>()) …       // and the loop keeps the tensor
// What `->` of a temporary leads to is destroyed at the end of the expression. In C++20 no type can prevent a loop over
// it (in C++23 the loop keeps it):
//   const float loss = trainer.Step().Get()->loss;                  // right
//   for (const auto& row : trainer.Step().Get()->rows) …            // wrong: reads destroyed rows
//   for (const auto& row : (*trainer.Step().Get()).rows) …          // right: a member of a value is kept with it
// clang++ from 19 on warns of the wrong one (-Wdangling), and the address sanitizer stops there.
template <class T>
class [[nodiscard]] Answer : public absl::StatusOr<T> {
  using Base = absl::StatusOr<T>;

 public:
  using Base::Base;
  using Base::operator=;
  explicit Answer() = default;                      // explicit as in absl::StatusOr: {} does not say what failed
  Answer(Base answer) : Base(std::move(answer)) {}  // NOLINT: it is one

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

// A std::optional whose `*` and value() of a temporary return values, as Answer does.
template <class T>
class [[nodiscard]] Maybe : public std::optional<T> {
  using Base = std::optional<T>;

 public:
  using Base::Base;
  Maybe(Base value) : Base(std::move(value)) {}  // NOLINT: it is one

  using Base::operator*;
  using Base::value;
  T operator*() && { return *static_cast<Base&&>(*this); }
  T operator*() const&& { return *static_cast<const Base&>(*this); }
  T value() && { return static_cast<Base&&>(*this).value(); }
  T value() const&& { return static_cast<const Base&>(*this).value(); }
};

}  // namespace twinkle
