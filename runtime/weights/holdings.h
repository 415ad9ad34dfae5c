// Who has which tensors: the entries of a side's tables by name, and where they are on its ranks.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/weights/side.h"

namespace twinkle::weights {

// An entry of one of the side's tables.
struct Held {
  uint32_t table = 0;
  uint32_t entry = 0;
};

// For one thread. The side outlives it.
class Holdings {
 public:
  // Of those of the side's tables alone that one of `members` uses; only these are asked about. `counts`, where it is
  // given, says for each table which entries count.
  Holdings(const Side* side, const std::vector<uint32_t>& members,
           const std::vector<std::vector<bool>>* counts = nullptr);

  // Whether there is an entry of that name.
  bool Has(std::string_view name) const { return chains_.contains(name); }
  // Appends all entries of that name. Their number among the names of that form: the same for whoever counts.
  uint32_t Find(std::string_view name, std::vector<Held>* held) const;

  // Those of the members who have that table.
  const std::vector<uint32_t>& MembersOf(uint32_t table) const { return members_[table]; }
  // Where the form is on each of these, in their order; valid as long as this. InvalidArgument: a rank is not in its
  // mesh, and the like.
  absl::StatusOr<const std::vector<View>*> ViewsOf(uint32_t table, uint32_t form);

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Link {
    Held held;
    uint32_t next = kNone;
  };
  struct Chain {
    uint32_t first = kNone;
    uint32_t last = kNone;
    uint32_t ordinal = 0;
  };

  void Enter(uint32_t table, const std::vector<bool>* counts);

  const Side& side_;
  std::vector<std::vector<uint32_t>> members_;  // by table
  std::vector<Link> links_;
  absl::flat_hash_map<std::string_view, Chain> chains_;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, std::unique_ptr<const std::vector<View>>> views_;
};

// For each entry the first one with the same form in the same memory: its own number, unless their names are tied.
std::vector<uint32_t> TiesOf(const Table& table);

}  // namespace twinkle::weights
