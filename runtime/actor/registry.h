// The remote classes of this program, found by qualified name.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <twinkle/internal/class_info.h>

#include <string_view>

namespace twinkle::actor {

// Null when the program has no such class or constructor. Thread-safe once main runs.
const internal::ClassInfo* FindClass(std::string_view name);
const internal::ConstructorInfo* FindConstructor(std::string_view class_name, std::string_view key);

// Of the signatures of a class's methods and the layouts of their values. Thread-safe; computed once for each class.
uint64_t Fingerprint(const internal::ClassInfo& info);

// FailedPrecondition, when classes in two files of this program have this name: both in namespaces without one.
absl::Status CheckUnambiguous(absl::string_view name);

// FailedPrecondition, naming the class, when this program does not have it or has another one of that name.
absl::Status CheckClass(const internal::ClassInfo* mine, absl::string_view name, uint64_t fingerprint);

}  // namespace twinkle::actor
