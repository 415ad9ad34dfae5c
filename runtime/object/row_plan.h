// Which rows of which shards make up rows of a collected value, without the value. Pure functions.
#pragma once

#include <twinkle/rules.h>

#include <optional>
#include <vector>

#include "runtime/codec/codec.h"
#include "runtime/dispatch/collect_rules.h"
#include "runtime/dispatch/dispatch.h"

namespace twinkle::object {

using dispatch::Join;

// Some rows of one shard; without `rows` all of it.
struct Piece {
  size_t shard = 0;
  std::optional<std::vector<codec::Range>> rows;
};

// How shards collected by `rule` make up the value, where that is known from their rows alone; nothing for means, sums,
// paddings and the like. `dynamic`: the shards are Values.
std::optional<Join> JoinOf(Collect rule, bool padded, bool dynamic, const std::vector<codec::Rows>& shards);

// Whether they are trees of lists and tensors alone, the same ones in all shards: only these can be concatenated.
bool CanConcat(const std::vector<codec::Rows>& shards);

// The rows of the joined value. REQUIRES: JoinOf gave `join`.
codec::Rows JoinedRows(Join join, const std::vector<codec::Rows>& shards);

// The pieces that make up a part of the joined value. For kList the part is a range of shards.
std::vector<Piece> PiecesOf(Join join, const std::vector<codec::Rows>& shards, const dispatch::Part& part);

}  // namespace twinkle::object
