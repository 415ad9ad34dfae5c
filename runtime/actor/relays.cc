#include "runtime/actor/relays.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <map>
#include <string>

namespace twinkle::actor {
namespace {

using rpc::ProcessId;

// The identity of a piece: equal for pieces that are the same bytes.
std::string Identity(const WirePiece& piece) {
  std::string text = absl::StrCat(piece.object.owner, ".", piece.object.id);
  for (uint32_t step : piece.path) absl::StrAppend(&text, "/", step);
  if (piece.rows) {
    for (const codec::Range& range : *piece.rows) absl::StrAppend(&text, ":", range.begin, "-", range.end);
  }
  for (const codec::Range& range : piece.picks) absl::StrAppend(&text, "+", range.begin, "-", range.end);
  return text;
}

struct Reader {
  ProcessId process;
  WirePiece* piece;
};

// Readers of one piece that are on other machines than its owner, the first of each machine's before the others.
using Machines = std::vector<std::vector<Reader>>;

Machines ByMachine(const std::vector<Reader>& readers, const Placement& placement) {
  const uint64_t home = placement.MachineOf(readers.front().piece->object.owner);
  std::map<uint64_t, size_t> indexes;
  Machines machines;
  for (const Reader& reader : readers) {
    const uint64_t machine = placement.MachineOf(reader.process);
    if (machine == 0 || machine == home) continue;
    const auto [known, added] = indexes.emplace(machine, machines.size());
    if (added) machines.emplace_back();
    machines[known->second].push_back(reader);
  }
  return machines;
}

// The parent of a node in a binomial tree whose root is 0.
size_t Parent(size_t node) { return node & (node - 1); }

void Relay(const Machines& machines, uint64_t number) {
  for (size_t m = 0; m < machines.size(); ++m) {
    const size_t parent = Parent(m + 1);
    WirePiece& first = *machines[m].front().piece;
    const ProcessId from = parent == 0 ? first.object.owner : machines[parent - 1].front().process;
    first.relay = RelayOrder{number, from, {}};
    if (parent != 0) machines[parent - 1].front().piece->relay->readers.push_back(machines[m].front().process);
  }
  for (const std::vector<Reader>& machine : machines) {
    for (size_t i = 1; i < machine.size(); ++i) {
      machine[i].piece->relay = RelayOrder{number, machine.front().process, {}};
      machine.front().piece->relay->readers.push_back(machine[i].process);
    }
  }
}

}  // namespace

void PlanRelays(std::span<const ProcessId> workers, const Placement& placement, uint64_t* next_number,
                std::span<std::vector<WireArgument>> parts) {
  if (workers.size() < 2) return;
  std::map<std::string, std::vector<Reader>> readers;
  for (size_t i = 0; i < workers.size(); ++i) {
    for (WireArgument& argument : parts[i]) {
      EachPiece(argument, [&](WirePiece& piece) {
        if (piece.value) return;
        std::vector<Reader>& of_it = readers[Identity(piece)];
        if (of_it.empty() || of_it.back().process != workers[i]) of_it.push_back({workers[i], &piece});
      });
    }
  }
  for (const auto& [identity, of_it] : readers) {
    if (of_it.size() < 2) continue;
    const Machines machines = ByMachine(of_it, placement);
    const size_t count = machines.size() == 1 ? machines[0].size() : machines.size();
    if (count > 1) Relay(machines, (*next_number)++);
  }
}

bool Relays::Expect(const RelayKey& key, const std::vector<ProcessId>& readers) {
  Part& part = parts_[key];
  if (std::exchange(part.expected, true)) return false;
  part.readers.insert(self_);
  for (ProcessId reader : readers) {
    if (!lost_.Has(reader)) part.readers.insert(reader);
  }
  return true;
}

void Relays::Arrived(const RelayKey& key, absl::StatusOr<codec::Encoded> value) {
  const auto part = parts_.find(key);
  if (part == parts_.end()) return;
  part->second.value = std::move(value);
  if (lost_.IsForgotten(key.caller)) part->second.readers.clear();  // but for those that wait
  Answer(key, part->second);
}

void Relays::Read(const RelayKey& key, ProcessId reader, Got got) {
  if (lost_.Has(key.caller) && parts_.find(key) == parts_.end()) {
    return got(absl::AbortedError("its caller is gone, and not all ranks had received the call"));
  }
  Part& part = parts_[key];
  part.waiting.emplace_back(reader, std::move(got));
  if (part.value) Answer(key, part);
}

void Relays::Drop(const RelayKey& key) {
  const auto part = parts_.find(key);
  if (part == parts_.end()) return;
  part->second.readers.erase(self_);
  if (part->second.value) Answer(key, part->second);
}

// Answers the readers that wait. The answers may come back here.
void Relays::Answer(const RelayKey& key, Part& part) {
  const absl::StatusOr<codec::Encoded> value = *part.value;
  std::vector<std::pair<ProcessId, Got>> waiting = std::exchange(part.waiting, {});
  for (const auto& [reader, got] : waiting) part.readers.erase(reader);
  if (part.readers.empty()) parts_.erase(key);
  for (auto& [reader, got] : waiting) got(value);
}

void Relays::OnLost(ProcessId peer, const absl::Status& why) {
  std::vector<Got> orphans;
  for (auto entry = parts_.begin(); entry != parts_.end();) {
    Part& part = entry->second;
    part.readers.erase(peer);
    std::erase_if(part.waiting, [peer](const auto& waiting) { return waiting.first == peer; });
    const bool never = !part.expected && entry->first.caller == peer;
    if (never) {
      for (auto& [reader, got] : part.waiting) orphans.push_back(std::move(got));
    }
    const bool had = part.value && part.readers.empty() && part.waiting.empty();
    if (never || had) {
      parts_.erase(entry++);
    } else {
      ++entry;
    }
  }
  for (Got& got : orphans) got(absl::AbortedError(absl::StrCat("its caller is gone: ", why.message())));
}

void Relays::ForgetCaller(ProcessId caller) {
  for (auto entry = parts_.begin(); entry != parts_.end();) {
    if (entry->first.caller == caller && entry->second.value) {
      parts_.erase(entry++);
    } else {
      ++entry;
    }
  }
}

}  // namespace twinkle::actor
