// ClassInfo: what the runtime knows of a remote class and its methods. It is data and plain functions, made once for
// each class by the public templates.
#pragma once

#include <absl/status/status.h>
#include <twinkle/device_mesh.h>
#include <twinkle/internal/export.h>
#include <twinkle/internal/type.h>
#include <twinkle/rules.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace twinkle::internal {

class LazyCore;
struct ComponentRef;

// How a typed lazy keeps its collected value. `make`: an absl::StatusOr<T> with T{} or a failure; `value`: the address
// of the T in it. Null for void.
struct AnswerOps {
  std::shared_ptr<void> (*make)(const absl::Status& status) = nullptr;
  void* (*value)(void* answer) = nullptr;
};

// A parameter of a method or constructor.
struct ParameterInfo {
  enum class Kind : uint8_t { kValue, kLazy, kRemote };
  Kind kind = Kind::kValue;
  const Type* type = nullptr;  // kValue; kLazy: the type that it collects, null for void
  AnswerOps answer;            // kLazy
  // kLazy, kRemote: makes the parameter's object in the process that runs the method.
  std::shared_ptr<void> (*from_lazy)(std::shared_ptr<LazyCore>) = nullptr;
  std::shared_ptr<void> (*from_component)(std::shared_ptr<const ComponentRef>) = nullptr;
};

// An argument as the method receives it, of the parameter's decayed type. Not exclusive: others hold the value, too,
// and it must not be moved from.
struct Argument {
  std::shared_ptr<void> value;
  bool exclusive = true;
};

// An argument of a call as its caller gave it.
struct CallArgument {
  enum class Kind : uint8_t { kValue, kPerRank, kLazy, kComponent };
  Kind kind = Kind::kValue;
  std::shared_ptr<void> value;         // kValue: owned by the call alone
  std::vector<CallArgument> per_rank;  // kPerRank: elements of other kinds
  std::shared_ptr<LazyCore> lazy;
  std::shared_ptr<const ComponentRef> component;
};

// The place in the user's program where a call was made.
struct CallSite {
  const char* file = "";
  int line = 0;
  static constexpr CallSite Here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

// The result of a method. `value`: null for void, and at the end of an iterated method. `more`: an iterated method had
// another item.
struct Outcome {
  absl::Status status;
  std::shared_ptr<void> value;
  bool more = true;
};

// A remote method, or the iterated form of one.
struct MethodInfo {
  const char* name = "";
  bool each = false;  // the iterated form, whose result is what the optional holds
  std::span<const ParameterInfo> parameters;
  const Type* result = nullptr;     // of one rank's result; null for void
  const Type* collected = nullptr;  // of the joined value; null for void
  Dispatch dispatch = Dispatch::kSlice;
  Execute execute = Execute::kAll;
  Collect collect = Collect::kNone;
  bool padded = false;
  double pad_value = 0;
  std::optional<bool> sync;
  std::optional<bool> lazy_collect;
  int64_t timeout_ns = 0;  // 0: none

  // Runs the method; exceptions that leave user code become its status.
  Outcome (*invoke)(void* object, std::span<Argument> arguments) = nullptr;
  // Own dispatch: computes the arguments of worker `index` from all arguments, which stay unchanged. Null: `dispatch`
  // decides.
  absl::Status (*own_dispatch)(int length, int index, std::span<const Argument> arguments, const DeviceMesh* mesh,
                               std::vector<Argument>* out) = nullptr;
  // Own collect: joins all results (which may be moved from) into `*out`, of type `collected`. Null: `collect` decides.
  absl::Status (*own_collect)(const std::vector<void*>& results, const DeviceMesh* mesh, void* out) = nullptr;
};

// A constructor of a remote class.
struct ConstructorInfo {
  std::string_view key;  // identifies the constructor in its class
  std::span<const ParameterInfo> parameters;
  Outcome (*construct)(std::span<Argument> arguments) = nullptr;
};

// A remote class.
struct ClassInfo {
  std::string_view name;  // qualified
  Execute execute = Execute::kAll;
  int max_concurrency = 1;
  std::vector<MethodInfo> methods;  // with their iterated forms

  const MethodInfo* Find(std::string_view method, bool each) const {
    for (const MethodInfo& info : methods) {
      if (info.name == method && info.each == each) return &info;
    }
    return nullptr;
  }
};

// Registers a class or constructor in the process, where it is found by name. Called before main, by one thread.
TWINKLE_EXPORT bool RegisterClass(const ClassInfo* info);
TWINKLE_EXPORT bool RegisterConstructor(std::string_view class_name, const ConstructorInfo* info);

}  // namespace twinkle::internal
