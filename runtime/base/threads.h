// Threads that may be refused.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <thread>

namespace twinkle::base {

// Runs `main` in a new thread, `name`, of 15 characters at most, is for debuggers. NoThread() (executor.h): the system
// gives none.
absl::StatusOr<std::thread> StartThread(const char* name, std::function<void()> main);

// That the threads of so many processes with gRPC in them can be had now: where limits are near, starts and ends them.
// Call before the first object of gRPC, whose event engine (1.51) waits for ever for a thread that it could not start.
// NoThread() if not.
absl::Status TryThreads(int processes);

}  // namespace twinkle::base
