// Answer and Maybe: an absl::StatusOr and a std::optional whose value may be taken out where they stand.
#pragma once

#include <absl/base/attributes.h>
#include <absl/status/statusor.h>

#include <optional>
#include <type_traits>
#include <utility>

namespace twinkle {

// What public functions give that may fail. It is an absl::StatusOr, so that it goes wherever one does. The one
// difference: `*answer` and `answer.value()` of a temporary are values, where absl::StatusOr gives references into what
// is about to go:
//   const auto& mesh = *twinkle::DeviceMesh::FromSizes({.dp = 2});  // the reference keeps the mesh
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
  using Base::Base;
  using Base::operator=;
  explicit Answer() = default;                      // as absl::StatusOr: {} does not say what failed
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

// Likewise a std::optional.
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
