// The role of this program as a worker process.
#pragma once

namespace twinkle::internal {

// Whether this process was started as a worker process. Takes the descriptor that says so out of the environment: what
// this process starts itself is none.
bool TakeWorkerRole();

// Serves this process's remote objects until the job ends, then exits. Does not return. REQUIRES: TakeWorkerRole gave
// true.
[[noreturn]] void ServeAsWorker();

}  // namespace twinkle::internal
