// Threads that may be refused.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <thread>

namespace twinkle::base {

// Runs `main` in a new thread, `name`, of 15 characters at most, is for debuggers. NoThread() (executor.h): the system
// gives none.
absl::StatusOr<std::thread> StartThread(const char* name, std::function<void()> main);

}  // namespace twinkle::base
