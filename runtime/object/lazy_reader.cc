#include "runtime/object/lazy_reader.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/codec/guarded.h"
#include "runtime/dispatch/collect.h"
#include "runtime/object/assemble.h"

namespace twinkle::object {

using internal::Argument;
using internal::LazyOrigin;

namespace {

using Arguments = absl::InlinedVector<Argument, 1>;

// ---- joining
absl::Status MoveOwn(const codec::Type& type, Argument value, void* out) {
  TWINKLE_ASSIGN_OR_RETURN(value, Own(type, std::move(value)));
  type.move(out, value.value.get());
  return absl::OkStatus();
}

const codec::Type& TypeOfShards(const LazyOrigin& origin, const LazyRows& rows) {
  if (!origin.as_it_is) return *origin.result;
  return *rows.join == Join::kList ? *ItemType(*origin.collected) : *origin.collected;
}

absl::StatusOr<Arguments> MaterialiseAll(PulledParts pulled, const codec::Type& type) {
  Arguments parts;
  for (absl::StatusOr<Pulled>& part : pulled) {
    if (!part.ok()) return part.status();
    TWINKLE_ASSIGN_OR_RETURN(Argument value, Materialise(*std::move(part), type));
    parts.push_back(std::move(value));
  }
  return parts;
}

absl::Status JoinByRule(const LazyOrigin& origin, Arguments parts, void* out) {
  if (origin.own_collect != nullptr) {
    for (Argument& part : parts) {
      TWINKLE_ASSIGN_OR_RETURN(part, Own(*origin.result, std::move(part)));
    }
  }
  std::vector<void*> results;
  results.reserve(parts.size());
  for (const Argument& part : parts) results.push_back(part.value.get());
  if (origin.own_collect != nullptr) return origin.own_collect(results, origin.mesh.get(), out);
  const bool move = std::all_of(parts.begin(), parts.end(), [](const Argument& part) { return part.exclusive; });
  return dispatch::JoinResults(origin.rule, origin.padding, *origin.result, results, move, *origin.collected, out);
}

absl::Status JoinShards(const LazyOrigin& origin, const LazyRows& rows, PulledParts pulled, void* out) {
  if (origin.as_it_is) {
    TWINKLE_ASSIGN_OR_RETURN(Argument joined, JoinPulled(*origin.collected, {&pulled.at(0), pulled.size()},
                                                         [&](size_t) { return *rows.join == Join::kList; }));
    return MoveOwn(*origin.collected, std::move(joined), out);
  }
  TWINKLE_ASSIGN_OR_RETURN(Arguments parts, MaterialiseAll(std::move(pulled), *origin.result));
  return JoinByRule(origin, std::move(parts), out);
}

// `reads`: how a plan's parts come from what was pulled.
absl::StatusOr<std::shared_ptr<void>> MakeAnswer(const LazyOrigin& origin, const LazyRows& rows,
                                                 const std::vector<PartRead>& reads, PulledParts pulled) {
  std::shared_ptr<void> answer = origin.answer.make(absl::OkStatus());
  void* const out = origin.answer.value(answer.get());
  const absl::Status made = codec::Guarded([&]() -> absl::Status {
    if (!rows.plan) return JoinShards(origin, rows, std::move(pulled), out);
    TWINKLE_ASSIGN_OR_RETURN(Argument value, AssembleParts(reads, *origin.collected, std::move(pulled)));
    return MoveOwn(*origin.collected, std::move(value), out);
  });
  if (!made.ok()) return base::Annotate(made, absl::StrCat("collecting ", origin.what.text()));
  return answer;
}

// ---- reading
// A part of the value: one that is there, or that of an object.
struct Reading {
  std::optional<absl::StatusOr<Pulled>> there = std::nullopt;
  ObjectRef object = {};
  const codec::Type* type = nullptr;
  Selection selection = {};
};

bool CameAlong(const LazyRows& rows) {
  return !rows.plan &&
         std::all_of(rows.shards.begin(), rows.shards.end(), [](const Shard& shard) { return shard.carried; });
}

std::vector<Reading> ReadingsOfShards(const LazyOrigin& origin, const LazyRows& rows) {
  std::vector<Reading> readings;
  readings.reserve(rows.shards.size());
  for (const Shard& shard : rows.shards) {
    if (shard.carried) {
      readings.push_back({.there = Pulled{nullptr, *shard.carried}});
    } else {
      readings.push_back({std::nullopt, shard.object->ref(), &TypeOfShards(origin, rows)});
    }
  }
  return readings;
}

std::vector<Reading> ReadingsOfPlan(const LazyPlan& plan, const std::vector<PartRead>& reads,
                                    const codec::Type& collected) {
  const std::shared_ptr<void> any = collected.make();
  std::vector<Reading> readings;
  for (const PartRead& read : reads) {
    const codec::Type& whole = *codec::MemberAt(collected, any.get(), read.target)->type;
    for (const PartRead::Piece& piece : read.pieces) {
      const PlanSource& source = plan.sources[piece.source];
      if (source.carried != nullptr && source.path.empty() && piece.picks.empty()) {
        readings.push_back({.there = Pulled{nullptr, *source.carried}});
        continue;
      }
      const codec::Type& type = piece.item ? *ItemType(whole) : whole;
      Selection selection{source.path, std::nullopt, piece.picks};
      if (source.object != nullptr) {
        readings.push_back({std::nullopt, source.object->ref(), &type, std::move(selection)});
        continue;
      }
      const auto some = codec::Guarded([&] { return Select(source.value, selection); });
      readings.push_back({.there = some.ok() ? absl::StatusOr<Pulled>(Pulled{some->value, {}}) : some.status()});
    }
  }
  return readings;
}

// Brings the parts of one value, which arrive in any order, and joins them once the last is there.
class Reader : public std::enable_shared_from_this<Reader> {
 public:
  Reader(const LazyOrigin& origin, const LazyRows& rows, ReadDone done)
      : origin_(origin), rows_(rows), done_(std::move(done)) {}

  void Start(bool here) {
    if (!rows_.plan) return ReadAll(ReadingsOfShards(origin_, rows_), here);
    const bool copies = std::any_of(rows_.plan->sources.begin(), rows_.plan->sources.end(),
                                    [](const PlanSource& source) { return source.object == nullptr; });
    if (!here && copies && origin_.store != nullptr &&  // values of the user's are not copied on the service queue
        origin_.store->collector().Post([self = shared_from_this()] { self->Start(true); })) {
      return;
    }
    reads_ = ReadsOf(*rows_.plan);
    ReadAll(ReadingsOfPlan(*rows_.plan, reads_, *origin_.collected), here);
  }

 private:
  void ReadAll(std::vector<Reading> readings, bool here) {
    parts_.resize(readings.size(), absl::UnknownError("on its way"));
    missing_ = readings.size() + 1;  // one more, so that it ends once
    for (size_t i = 0; i < readings.size(); ++i) {
      Reading& reading = readings[i];
      if (reading.there) {
        parts_[i] = *std::move(reading.there);
        Arrived();
        continue;
      }
      origin_.store->Pull(reading.object, *reading.type, std::move(reading.selection),
                          [self = shared_from_this(), i](absl::StatusOr<Pulled> pulled) {
                            self->parts_[i] = std::move(pulled);
                            self->ArriveOnCollector();
                          });
    }
    if (here || origin_.store == nullptr) return Arrived();
    ArriveOnCollector();
  }

  // Joining may take long and may be the user's code: it is not for the service queue.
  void ArriveOnCollector() {
    if (!origin_.store->collector().Post([self = shared_from_this()] { self->Arrived(); })) Arrived();
  }

  void Arrived() {
    if (missing_.fetch_sub(1) == 1) done_(MakeAnswer(origin_, rows_, reads_, std::move(parts_)));
  }

  const LazyOrigin& origin_;
  const LazyRows& rows_;
  ReadDone done_;                // keeps both
  std::vector<PartRead> reads_;  // of the plan; constant once what is there is read
  PulledParts parts_;            // each written by who brings it
  std::atomic<size_t> missing_ = 0;
};

}  // namespace

void ReadLazy(const LazyOrigin& origin, const LazyRows& rows, bool here, ReadDone done) {
  if (!here || !CameAlong(rows)) return std::make_shared<Reader>(origin, rows, std::move(done))->Start(here);
  PulledParts parts;
  parts.reserve(rows.shards.size());
  for (const Shard& shard : rows.shards) parts.emplace_back(Pulled{nullptr, *shard.carried});
  done(MakeAnswer(origin, rows, {}, std::move(parts)));
}

}  // namespace twinkle::object
