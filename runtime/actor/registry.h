// The remote classes of this program, found by qualified name.
#pragma once

#include <twinkle/internal/class_info.h>

#include <string_view>

namespace twinkle::actor {

// Null when the program has no such class or constructor. Thread-safe once main runs.
const internal::ClassInfo* FindClass(std::string_view name);
const internal::ConstructorInfo* FindConstructor(std::string_view class_name, std::string_view key);

// Of the signatures of a class's methods and the layouts of their values.
uint64_t Fingerprint(const internal::ClassInfo& info);

}  // namespace twinkle::actor
