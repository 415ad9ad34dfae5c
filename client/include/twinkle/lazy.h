// Lazy<T>: a reference to a result, which stays where it was made until somebody asks for its value.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <twinkle/answer.h>
#include <twinkle/internal/runtime.h>
#include <twinkle/wait_limit.h>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinkle {

template <class T>
class Lazy;

namespace internal {

template <class T>
inline constexpr bool kIsReference<Lazy<T>> = true;

struct LazyAccess {
  template <class T>
  static Lazy<T> Make(LazyPtr core) {
    return Lazy<T>(std::move(core));
  }
  template <class T>
  static const LazyPtr& Core(const Lazy<T>& lazy) {
    return lazy.core_;
  }
};

template <class T>
constexpr AnswerOps AnswerOpsFor() {
  if constexpr (std::is_void_v<T>) {
    return {};
  } else if constexpr (CheckAssigned<T>()) {
    return {[](const absl::Status& status) -> std::shared_ptr<void> {
              return status.ok() ? std::make_shared<absl::StatusOr<T>>(T{})
                                 : std::make_shared<absl::StatusOr<T>>(status);
            },
            [](void* answer) -> void* { return &**static_cast<absl::StatusOr<T>*>(answer); }};
  } else {
    return {};
  }
}

template <class T>
constexpr const Type* CollectedTypeOf() {
  if constexpr (std::is_void_v<T>) {
    return nullptr;
  } else {
    CheckAssigned<T>();
    return &kType<T>;
  }
}

inline absl::Status EmptyLazy() { return absl::FailedPreconditionError("an empty Lazy: it is the result of no call"); }

// The part of Lazy<T> that is the same for every T.
class LazyBase {
 public:
  // Whether the call has ended on all ranks, with or without success. Does not block.
  bool Ready() const { return core_ != nullptr && LazyReady(core_); }
  // Blocks until the call has ended on all ranks. OK; the call's failure; or DeadlineExceeded. Moves no data.
  absl::Status Wait(WaitLimit limit) const { return core_ == nullptr ? EmptyLazy() : LazyWait(core_, limit.left()); }
  // Ends a call that is under way with Cancelled. Ranks that have not begun skip it; the others see Cancelled() in
  // their Context.
  void Cancel() const {
    if (core_ != nullptr) LazyCancel(core_);
  }

 protected:
  LazyBase() = default;
  explicit LazyBase(LazyPtr core) : core_(std::move(core)) {}
  LazyPtr core_;  // shared with copies of this lazy
};

}  // namespace internal

// Thread-safe and cheap to copy. An empty one (default constructed) fails with FailedPrecondition.
template <class T>
class Lazy : public internal::LazyBase {
 public:
  Lazy() = default;

  // The collected value, or why there is none. Blocks; the first call fetches and joins the results, later ones are
  // free. The reference is valid as long as any copy of this lazy. Get() of a temporary returns a value, which a loop
  // keeps if it is written with a star:
  //   for (const auto& row : *policy.Generate(prompts).Get()) …
  //   for (const auto& row : (*trainer.Step().Get()).rows) …  // not Get()->rows, which is gone before the loop begins
  const absl::StatusOr<T>& Get() const& {
    if (core_ == nullptr) {
      static const absl::StatusOr<T> kEmpty = internal::EmptyLazy();
      return kEmpty;
    }
    return *static_cast<const absl::StatusOr<T>*>(internal::LazyAnswer(core_));
  }
  Answer<T> Get() && {
    const absl::StatusOr<T>& answer = static_cast<const Lazy&>(*this).Get();
    // Nobody else can see the value any more, so it may be moved.
    if (core_ != nullptr && core_.use_count() == 1) return std::move(const_cast<absl::StatusOr<T>&>(answer));
    return answer;
  }

  // Get as a value, also of a lazy that stays: a copy that belongs to the caller.
  Answer<T> Value() const& { return Get(); }
  Answer<T> Value() && { return std::move(*this).Get(); }

  // The number of rows of the collected list or tensor; of a struct or dict the rows of its lists and tensors. Blocks.
  // Moves no data, except for results of own collect functions. InvalidArgument: the value has no rows, or different
  // numbers of rows.
  Answer<int64_t> Size() const { return core_ == nullptr ? internal::EmptyLazy() : internal::LazySize(core_); }

  // Rows [begin, end) of the value. This is a plan: nothing moves. A range outside the value fails with InvalidArgument
  // as soon as the value's rows are known.
  Lazy Rows(int64_t begin, int64_t end) const {
    return core_ == nullptr ? *this : Lazy(internal::LazyRows(core_, begin, end));
  }

  // ---- more plans. A plan is made from what is known of rows. Nothing moves until somebody reads it, and then only
  // the rows that are left, from the ranks that have them. All lists and tensors in the value must have the same number
  // of rows. Otherwise, and for rows that do not exist, the plan fails with InvalidArgument.

  // The rows with these numbers, in this order, each as often as it is named.
  Lazy Take(std::vector<int64_t> rows) const {  // NOLINT(performance-unnecessary-value-param): it is moved
    return core_ == nullptr ? *this : Lazy(internal::LazyTake(core_, std::move(rows)));
  }
  // Each row `times` times in a row.
  Lazy Repeat(int64_t times) const { return core_ == nullptr ? *this : Lazy(internal::LazyRepeat(core_, times)); }
  // A member of the value, which is a struct: lazy.Field(&Batch::ids).
  template <class M, class C>
  Lazy<M> Field(M C::*member) const requires std::is_same_v<C, T> {
    static_assert(internal::kType<T>.kind == internal::Kind::kRecord, "twinkle: Field wants a plain struct");
    if (core_ == nullptr) return {};
    T any{};
    return internal::LazyAccess::Make<M>(internal::LazyField(core_, internal::kType<T>, &any, &(any.*member),
                                                             internal::kType<M>, internal::AnswerOpsFor<M>()));
  }

  // The items of a collected list. Blocks as Get does. A failure is never an empty list, so ask Get() first: iterating
  // over a failure throws absl::BadStatusOrAccess, which inside a remote method becomes the method's status.
  auto begin() const requires requires(const T& list) { list.begin(); }
  { return Get().value().begin(); }
  auto end() const requires requires(const T& list) { list.end(); }
  { return Get().value().end(); }

 private:
  friend struct internal::LazyAccess;
  explicit Lazy(internal::LazyPtr core) : LazyBase(std::move(core)) {}
};

// The lazy of a method that returns nothing.
template <>
class Lazy<void> : public internal::LazyBase {
 public:
  Lazy() = default;
  // Blocks until the call has ended. OK, or the call's failure.
  absl::Status Get() const { return Wait(absl::InfiniteDuration()); }

 private:
  friend struct internal::LazyAccess;
  explicit Lazy(internal::LazyPtr core) : LazyBase(std::move(core)) {}
};

// The rows of all lazies, one after the other. A plan, like those of Lazy.
template <class T>
Lazy<T> Concat(const std::vector<Lazy<T>>& lazies) {
  std::vector<internal::LazyPtr> cores;
  for (const Lazy<T>& lazy : lazies) {
    if (internal::LazyAccess::Core(lazy) == nullptr) return {};
    cores.push_back(internal::LazyAccess::Core(lazy));
  }
  if (cores.empty()) return {};
  return internal::LazyAccess::Make<T>(
      internal::LazyConcat(std::move(cores), internal::kType<T>, internal::AnswerOpsFor<T>()));
}
template <class T, class... More>
Lazy<T> Concat(const Lazy<T>& first, const More&... more) requires(std::is_same_v<More, Lazy<T>>&&...) {
  return Concat(std::vector<Lazy<T>>{first, more...});
}

// A struct made of its members, in the order of their declaration: MakeLazy<Batch>(ids, advantages). A plan, like those
// of Lazy. All members that have rows must have the same number of them.
template <class T, class... M>
Lazy<T> MakeLazy(const Lazy<M>&... members) requires requires {
  T{std::declval<M>()...};
}
{
  static_assert(internal::kType<T>.kind == internal::Kind::kRecord && internal::kType<T>.count == sizeof...(M),
                "twinkle: MakeLazy wants a plain struct and a Lazy for each of its members");
  const std::vector<internal::LazyPtr> cores = {internal::LazyAccess::Core(members)...};
  for (const internal::LazyPtr& core : cores) {
    if (core == nullptr) return {};
  }
  static constexpr const internal::Type* kTypes[] = {&internal::kType<M>...};
  return internal::LazyAccess::Make<T>(
      internal::LazyRecord(cores, kTypes, internal::kType<T>, internal::AnswerOpsFor<T>()));
}

// Keeps a value in this process. Returns a lazy, by which calls refer to the value without sending it each time.
template <class T>
Lazy<T> Put(T value, internal::CallSite site = internal::CallSite::Here()) {
  static_assert(!internal::kIsReference<T>,
                "twinkle: Put keeps a value; a Lazy or Remote is a reference already: give it to the calls as it is");
  return internal::LazyAccess::Make<T>(
      internal::PutValue(internal::kType<T>, std::make_shared<T>(std::move(value)), internal::AnswerOpsFor<T>(), site));
}

}  // namespace twinkle
