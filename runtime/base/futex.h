// Waits for a word in memory that processes share (futex).
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <cstdint>

#include "runtime/base/clock.h"

namespace twinkle::base {

// Blocks while the word is `seen`, until it is woken for one of `bits`, or until the deadline. May return early.
void FutexWait(const std::atomic<uint32_t>& word, uint32_t seen, uint32_t bits, Instant deadline);

// Wakes at most `most` waiters that wait for one of `bits`.
void FutexWake(const std::atomic<uint32_t>& word, uint32_t bits, int most);

}  // namespace twinkle::base
