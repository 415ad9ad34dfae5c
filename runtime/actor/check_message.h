// Whether a message that was decoded makes sense: whoever handles it trusts that.
#pragma once

#include <absl/status/status.h>

#include "runtime/actor/messages.h"

namespace twinkle::actor {

// Of a domain, in one message: more than a process has calls.
inline constexpr uint64_t kMostNumbers = uint64_t{1} << 32;

// InvalidArgument, saying what is wrong: an enumeration's value that there is not, a tree of rows that is none, counts
// and lists that do not fit each other, numbers that nobody could have used.
absl::Status CheckMessage(const Message& message);

}  // namespace twinkle::actor
