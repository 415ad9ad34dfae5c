// Starts threads, which the system may refuse.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <thread>

namespace twinkle::base {

// Runs `main` in a new thread. `name`, of at most 15 characters, is for debuggers. NoThread() (executor.h): the system
// gives none.
absl::StatusOr<std::thread> StartThread(const char* name, std::function<void()> main);

// Checks that the threads of `processes` processes with gRPC in them can be had now; if limits are near, by starting
// and ending them. To be called before the first object of gRPC: its event engine (1.51) waits for ever for a thread
// that it could not start. NoThread(): they cannot be had.
absl::Status TryThreads(int processes);

}  // namespace twinkle::base
