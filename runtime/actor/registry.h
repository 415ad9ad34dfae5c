// The remote classes of this program, found by qualified name.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <twinkle/internal/class_info.h>

#include <string_view>

namespace twinkle::actor {

// The class, or constructor, of that name. Null: the program has none. Thread-safe once main runs.
const internal::ClassInfo* FindClass(std::string_view name);
const internal::ConstructorInfo* FindConstructor(std::string_view class_name, std::string_view key);

// The fingerprint of the signatures of a class's methods and the layouts of their values. Thread-safe; computed once
// for each class.
uint64_t Fingerprint(const internal::ClassInfo& info);

// Whether a name means one class. FailedPrecondition: classes in two files of this program have it, both in unnamed
// namespaces.
absl::Status CheckUnambiguous(absl::string_view name);

// Whether this program has the class that others mean. FailedPrecondition, naming the class: it has none of that name,
// or another one.
absl::Status CheckClass(const internal::ClassInfo* mine, absl::string_view name, uint64_t fingerprint);

}  // namespace twinkle::actor
