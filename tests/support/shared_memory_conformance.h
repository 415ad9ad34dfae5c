// What every kind of SharedMemory must do. A test of a kind runs each check over a fixture of its own:
//
//   for (const SharedMemoryCheck& check : SharedMemoryChecks()) {
//     DYNAMIC_SECTION(check.name) {
//       MyFixture fixture;
//       check.run(fixture);
//     }
//   }
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "runtime/memory/shared_memory.h"

namespace twinkle::memory {

// A machine whose processes share memory of that kind.
class SharedMemoryFixture {
 public:
  struct Owner {
    std::shared_ptr<SharedMemory> memory;
    int pid = 0;  // under which others map it
  };
  virtual ~SharedMemoryFixture() = default;

  // The memory of a process, with room for blocks of that many bytes, and not for twice as many. A chunk is kept
  // without blocks for some milliseconds at most.
  virtual Owner Start(size_t capacity) = 0;
};

struct SharedMemoryCheck {
  const char* name;  // a sentence, with the invariant that it is about
  void (*run)(SharedMemoryFixture& fixture);
};
const std::vector<SharedMemoryCheck>& SharedMemoryChecks();

}  // namespace twinkle::memory
