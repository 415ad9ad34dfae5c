#include "runtime/collective/steps.h"

#include <algorithm>
#include <functional>

#include "runtime/mesh/share.h"

namespace twinkle::collective {
namespace {

using Kind = Step::Kind;
using mesh::Range;

Range RowsAsElements(const Work& work, const Range& rows) {
  return {rows.begin * work.row_size, rows.end * work.row_size};
}

// Elements of the input that the rank reduces: rows, where its output is these.
Range ReducedBy(const Work& work, int rank) {
  const int64_t rows = work.rows.front();
  if (work.operation != Operation::kReduceScatter) return mesh::Share(rows * work.row_size, work.ranks(), rank);
  return RowsAsElements(work, mesh::Share(rows, work.ranks(), rank));
}

class Schedule {
 public:
  Schedule(const Work& work, int rank) : work_(work), rank_(rank) {}

  std::vector<Step> Make() {
    switch (work_.operation) {
      case Operation::kAllReduce:
      case Operation::kReduce:
      case Operation::kReduceScatter:
        Reduce();
        break;
      case Operation::kBroadcast:
        Broadcast();
        break;
      case Operation::kAllGather:
        AllGather();
        break;
      case Operation::kAllToAll:
        AllToAll();
        break;
      case Operation::kBarrier:
      case Operation::kSend:
      case Operation::kRecv:
        break;
    }
    return std::move(steps_);
  }

 private:
  // `offset`: of the first element in the input, or output, of whoever sends or takes.
  void Add(Kind kind, int peer, int64_t from, int64_t to, int64_t count) {
    for (int64_t at = 0; at < count; at += work_.chunk) {
      steps_.push_back({kind, peer, from + at, to + at, std::min(work_.chunk, count - at)});
    }
  }
  // The others, beginning behind this rank: not all send to the same one first.
  void EachOther(const std::function<void(int peer)>& f) const {
    for (int i = 1; i < work_.ranks(); ++i) f((rank_ + i) % work_.ranks());
  }
  Range PartOf(int rank) const { return ReducedBy(work_, rank); }

  void Reduce() {
    EachOther([&](int peer) { Add(Kind::kSendInput, peer, PartOf(peer).begin, 0, PartOf(peer).size()); });
    const Range mine = PartOf(rank_);
    const bool whole =
        work_.operation == Operation::kAllReduce || (work_.operation == Operation::kReduce && rank_ == work_.root);
    const int64_t place = whole ? mine.begin : 0;  // else its output is this part alone
    for (int64_t at = 0; at < mine.size(); at += work_.chunk) {
      const int64_t count = std::min(work_.chunk, mine.size() - at);
      for (int peer = 0; peer < work_.ranks(); ++peer) {
        steps_.push_back({peer == 0 ? Kind::kBegin : Kind::kFold, peer, mine.begin + at, place + at, count});
      }
      steps_.push_back({Kind::kFinish, rank_, 0, place + at, count});
      SendReduced(place + at, count);
    }
    TakeReduced();
  }
  void SendReduced(int64_t from, int64_t count) {
    if (work_.operation == Operation::kReduceScatter) return;
    EachOther([&](int peer) {
      const bool wants = work_.operation == Operation::kAllReduce || peer == work_.root;
      if (wants) steps_.push_back({Kind::kSendOutput, peer, from, 0, count});
    });
  }
  void TakeReduced() {
    if (work_.operation == Operation::kReduceScatter) return;
    if (work_.operation == Operation::kReduce && rank_ != work_.root) return;
    EachOther([&](int peer) { Add(Kind::kTake, peer, 0, PartOf(peer).begin, PartOf(peer).size()); });
  }

  void Broadcast() {
    const int64_t count = work_.rows.front() * work_.row_size;
    if (rank_ != work_.root) return Add(Kind::kTake, work_.root, 0, 0, count);
    EachOther([&](int peer) { Add(Kind::kSendInput, peer, 0, 0, count); });
  }

  void AllGather() {
    std::vector<int64_t> begins(1, 0);
    for (int64_t rows : work_.rows) begins.push_back(begins.back() + rows * work_.row_size);
    const auto count = [&](int rank) { return work_.rows[static_cast<size_t>(rank)] * work_.row_size; };
    EachOther([&](int peer) { Add(Kind::kSendInput, peer, 0, 0, count(rank_)); });
    Add(Kind::kCopyInput, rank_, 0, begins[static_cast<size_t>(rank_)], count(rank_));
    EachOther([&](int peer) { Add(Kind::kTake, peer, 0, begins[static_cast<size_t>(peer)], count(peer)); });
  }

  void AllToAll() {
    const auto part = [&](int rank) {
      return RowsAsElements(work_, mesh::Share(work_.rows.front(), work_.ranks(), rank));
    };
    const Range mine = part(rank_);
    EachOther([&](int peer) { Add(Kind::kSendInput, peer, part(peer).begin, 0, part(peer).size()); });
    Add(Kind::kCopyInput, rank_, mine.begin, rank_ * mine.size(), mine.size());
    EachOther([&](int peer) { Add(Kind::kTake, peer, 0, peer * mine.size(), mine.size()); });
  }

  const Work& work_;
  const int rank_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> StepsOf(const Work& work, int rank) { return Schedule(work, rank).Make(); }

std::vector<CarriedPiece> PiecesOf(const Work& work, int rank) {
  if (Reduces(work.operation)) {
    const int64_t from = work.operation == Operation::kReduceScatter ? ReducedBy(work, rank).begin : 0;
    return {{0, from, 0, OutputElements(work, rank)}};
  }
  if (work.operation == Operation::kBroadcast) return {{work.root, 0, 0, OutputElements(work, rank)}};
  std::vector<CarriedPiece> pieces;
  int64_t to = 0;
  for (int other = 0; other < work.ranks(); ++other) {
    const int64_t rows = work.rows[static_cast<size_t>(other)];
    const Range share = work.operation == Operation::kAllToAll ? mesh::Share(rows, work.ranks(), rank) : Range{0, rows};
    const Range part = RowsAsElements(work, share);
    pieces.push_back({other, part.begin, to, part.size()});
    to += part.size();
  }
  return pieces;
}

int64_t OutputRows(const Work& work, int rank) {
  const int64_t rows = work.rows.front();
  switch (work.operation) {
    case Operation::kAllReduce:
      return rows;
    case Operation::kReduce:
      return rank == work.root ? rows : -1;
    case Operation::kBroadcast:
      return rank == work.root ? -1 : rows;
    case Operation::kAllGather: {
      int64_t all = 0;
      for (int64_t each : work.rows) all += each;
      return all;
    }
    case Operation::kReduceScatter:
      return mesh::Share(rows, work.ranks(), rank).size();
    case Operation::kAllToAll:
      return mesh::Share(rows, work.ranks(), rank).size() * work.ranks();
    case Operation::kBarrier:
    case Operation::kSend:
    case Operation::kRecv:
      return -1;
  }
  return -1;
}

int64_t OutputElements(const Work& work, int rank) {
  if (work.operation == Operation::kReduce && rank != work.root) return ReducedBy(work, rank).size();
  return std::max<int64_t>(OutputRows(work, rank), 0) * work.row_size;
}

}  // namespace twinkle::collective
