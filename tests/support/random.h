// Randomness for property and model tests: a failure is repeated with the seed that it printed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

namespace twinkle::tests {

using Random = std::mt19937_64;

// TWINKLE_TEST_SEED where it is set, else another one each time. Print it: INFO("TWINKLE_TEST_SEED=" << seed).
inline uint64_t Seed() {
  const char* given = std::getenv("TWINKLE_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

// 0 … limit-1. REQUIRES: limit > 0.
inline int Below(Random& random, int limit) { return static_cast<int>(random() % static_cast<uint64_t>(limit)); }

// True once in `n` times.
inline bool OneIn(Random& random, int n) { return Below(random, n) == 0; }

}  // namespace twinkle::tests
