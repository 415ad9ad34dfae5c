// The ranks of one side of a weight sync, and what they have.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/weights/table.h"

namespace twinkle::weights {

// Ranks with equal tables share one.
struct Member {
  uint32_t table = 0;   // of the side's
  int rank = 0;         // in its component
  int32_t machine = 0;  // the same number: the same machine
  int32_t process = 0;  // the same number: the same process
};
struct Side {
  std::string name;  // for messages: "trainer"
  std::vector<std::shared_ptr<const Table>> tables;
  std::vector<Member> members;

  // "rank 3 of trainer"
  std::string NameOf(uint32_t member) const;
};

}  // namespace twinkle::weights
