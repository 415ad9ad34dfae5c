#include "runtime/collective/group_task.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/memory.h"
#include "runtime/base/status.h"
#include "runtime/collective/fold.h"

namespace twinkle::collective {
namespace {

absl::Status NoMemory(const Record& record) {
  return absl::ResourceExhaustedError(absl::StrCat("there is no memory for the result of ", TextOf(record)));
}

const std::byte* DataOf(const Bytes& bytes) { return reinterpret_cast<const std::byte*>(bytes.view().data()); }

Bytes BytesOf(std::shared_ptr<const void> owner, const std::byte* data, int64_t size) {
  return Bytes(std::move(owner), {reinterpret_cast<const char*>(data), static_cast<size_t>(size)});
}

// What is to be computed with must be aligned; a short run in a message need not be.
const std::byte* Aligned(const Bytes& bytes, std::shared_ptr<std::byte>* copy) {
  const std::byte* const data = DataOf(bytes);
  if (reinterpret_cast<uintptr_t>(data) % 16 == 0 || bytes.empty()) return data;
  *copy = base::NewMemory(bytes.size(), false);
  if (*copy != nullptr) std::memcpy(copy->get(), data, bytes.size());
  return copy->get();
}

Work WorkOf(const Record& record, std::vector<int64_t> rows, int64_t row_size, int64_t chunk_bytes) {
  return {.operation = record.operation,
          .root = record.root,
          .rows = std::move(rows),
          .row_size = row_size,
          .chunk = std::max<int64_t>(chunk_bytes / SizeOf(record.dtype), 1)};
}

}  // namespace

bool GroupTask::Brings() const {
  if (record_.operation == Operation::kBarrier) return false;
  return record_.operation != Operation::kBroadcast || record_.root == members_.self;
}

Bytes GroupTask::InputBytes(int64_t from, int64_t count) const {
  const int64_t size = SizeOf(record_.dtype);
  return BytesOf(input_.owner(), input_.raw() + from * size, count * size);
}

absl::Status GroupTask::Advance(bool* further) {
  *further = false;
  if (state() == State::kIssued) Reach(State::kGathering);
  if (state() == State::kGathering) TWINKLE_RETURN_IF_ERROR(Gather(further));
  if (state() == State::kAwaitingVerdict && mail_.down) {
    const Packet verdict = *std::exchange(mail_.down, std::nullopt);
    for (int child : tree_.children) send_(child, verdict);
    *further = true;
    TWINKLE_RETURN_IF_ERROR(Obey(verdict));
  }
  return state() == State::kMoving ? Move(further) : absl::OkStatus();
}

std::vector<int> GroupTask::WaitsFor() const {
  if (state() == State::kAwaitingVerdict) return {tree_.parent};
  if (state() == State::kMoving) return {steps_[next_step_].peer};
  std::vector<int> missing;
  for (int child : tree_.children) {
    if (!mail_.ups.contains(child)) missing.push_back(child);
  }
  return missing;
}

// ---- agreement
absl::Status GroupTask::Gather(bool* further) {
  if (mail_.ups.size() < tree_.children.size()) return absl::OkStatus();
  *further = true;
  Packet up;
  up.kind = PacketKind::kUp;
  up.sequence = sequence_;
  up.carries = !Brings() || record_.bytes() <= options_.carried_bytes;
  up.records.push_back(record_);
  up.payloads.push_back(up.carries && Brings() ? InputBytes(0, record_.count()) : Bytes());
  for (auto& [child, below] : mail_.ups) {
    std::move(below.records.begin(), below.records.end(), std::back_inserter(up.records));
    std::move(below.payloads.begin(), below.payloads.end(), std::back_inserter(up.payloads));
    up.carries = up.carries && below.carries;
  }
  mail_.ups.clear();
  if (tree_.parent >= 0) {
    send_(tree_.parent, std::move(up));
    Reach(State::kAwaitingVerdict);
    return absl::OkStatus();
  }
  const Packet verdict = Judge(up);
  for (int child : tree_.children) send_(child, verdict);
  return Obey(verdict);
}

Packet GroupTask::Judge(const Packet& all) const {
  Packet in_order = all;
  const auto ranks = static_cast<size_t>(members_.size());
  std::vector<Record> records(ranks);
  in_order.payloads.assign(ranks, Bytes());
  size_t known = 0;
  for (size_t i = 0; i < all.records.size() && i < all.payloads.size(); ++i) {
    const auto rank = static_cast<size_t>(all.records[i].rank);
    if (rank >= ranks) continue;
    records[rank] = all.records[i];
    in_order.payloads[rank] = all.payloads[i];
    ++known;
  }
  Packet verdict;
  verdict.kind = PacketKind::kDown;
  verdict.sequence = sequence_;
  absl::Status status = known == ranks ? Compare(records) : absl::InternalError("ranks have spoken for others");
  const bool by_rows = GoesByRows(record_.operation);
  verdict.row_size = by_rows ? 0 : 1;
  for (const Record& record : records) {
    verdict.rows.push_back(by_rows ? record.rows : record.count());
    if (by_rows && record.rows > 0) verdict.row_size = record.row_size;
  }
  verdict.carries = all.carries;
  if (status.ok() && all.carries) status = Reduced(in_order, &verdict);
  verdict.code = static_cast<int32_t>(status.code());
  verdict.message = std::string(status.message());
  return verdict;
}

// What the payloads come to.
absl::Status GroupTask::Reduced(const Packet& all, Packet* verdict) const {
  if (!Reduces(record_.operation)) {
    verdict->payloads = all.payloads;
    return absl::OkStatus();
  }
  const auto count = static_cast<size_t>(record_.count());
  const auto bytes = static_cast<size_t>(record_.bytes());
  const DType wide = AccumulatorOf(record_.dtype);
  const auto sum = base::NewMemory(std::max<size_t>(count * static_cast<size_t>(SizeOf(wide)), 1), false);
  const auto result = wide == record_.dtype ? sum : base::NewMemory(std::max<size_t>(bytes, 1), false);
  if (sum == nullptr || result == nullptr) return NoMemory(record_);
  for (size_t rank = 0; rank < all.payloads.size(); ++rank) {
    if (all.payloads[rank].size() != bytes) return absl::InternalError("a rank brings less than it says");
    std::shared_ptr<std::byte> copy;
    const std::byte* const elements = Aligned(all.payloads[rank], &copy);
    if (elements == nullptr && bytes > 0) return NoMemory(record_);
    if (rank == 0) {
      Begin(record_.dtype, sum.get(), elements, count);
    } else {
      Fold(record_.dtype, record_.reduce, sum.get(), elements, count);
    }
  }
  Finish(record_.dtype, record_.reduce, members_.size(), result.get(), sum.get(), count);
  verdict->payloads = {BytesOf(result, result.get(), static_cast<int64_t>(bytes))};
  return absl::OkStatus();
}

// ---- what was agreed
absl::Status GroupTask::Obey(const Packet& verdict) {
  if (verdict.code != 0) return {static_cast<absl::StatusCode>(verdict.code), verdict.message};
  if (verdict.rows.size() != static_cast<size_t>(members_.size())) {
    return absl::InternalError("a verdict for another number of ranks");
  }
  work_ = WorkOf(record_, verdict.rows, verdict.row_size, options_.chunk_bytes);
  return verdict.carries ? FinishCarried(verdict) : BeginMoving();
}

absl::Status GroupTask::MakeOutput() {
  const int64_t bytes = OutputElements(work_, members_.self) * SizeOf(record_.dtype);
  output_ = base::NewMemory(std::max<size_t>(static_cast<size_t>(bytes), 1), false);
  return output_ == nullptr ? NoMemory(record_) : absl::OkStatus();
}

// The same steps; but what was folded is whole already, and what others send is in their payload.
absl::Status GroupTask::FinishCarried(const Packet& verdict) {
  const int64_t size = SizeOf(record_.dtype);
  const int self = members_.self;
  if (OutputRows(work_, self) < 0) return SetResult();
  TWINKLE_RETURN_IF_ERROR(MakeOutput());
  const bool reduces = Reduces(record_.operation);
  if (verdict.payloads.size() != (reduces ? 1U : static_cast<size_t>(members_.size()))) {
    return absl::InternalError("a verdict without its result");
  }
  const auto place = [&](const Bytes& from, int64_t begin, int64_t to, int64_t count) {
    if (static_cast<int64_t>(from.size()) < (begin + count) * size) {
      return absl::InternalError("a verdict with less than its result");
    }
    if (count > 0) {
      std::memcpy(output_.get() + to * size, DataOf(from) + begin * size, static_cast<size_t>(count * size));
    }
    return absl::OkStatus();
  };
  for (const CarriedPiece& piece : PiecesOf(work_, self)) {
    TWINKLE_RETURN_IF_ERROR(
        place(verdict.payloads[reduces ? 0 : static_cast<size_t>(piece.rank)], piece.from, piece.to, piece.count));
  }
  return SetResult();
}

absl::Status GroupTask::BeginMoving() {
  TWINKLE_RETURN_IF_ERROR(MakeOutput());
  if (AccumulatorOf(record_.dtype) != record_.dtype && Reduces(record_.operation)) {
    accumulator_ = base::NewMemory(
        static_cast<size_t>(work_.chunk) * static_cast<size_t>(SizeOf(AccumulatorOf(record_.dtype))), false);
    if (accumulator_ == nullptr) return NoMemory(record_);
  }
  steps_ = StepsOf(work_, members_.self);
  Reach(State::kMoving);
  return absl::OkStatus();
}

absl::Status GroupTask::SetResult() {
  const int64_t rows = OutputRows(work_, members_.self);
  if (rows < 0) {
    result_ = std::move(input_);
  } else {
    std::vector<int64_t> shape = input_.shape();
    const bool by_rows = GoesByRows(record_.operation);
    if (by_rows && shape.empty()) shape.push_back(1);
    if (by_rows) {
      // One without rows may say of what size they would be, or not.
      if (work_.row_size != 0 && record_.row_size != work_.row_size) shape = {0, work_.row_size};
      shape[0] = rows;
    }
    const std::byte* const data = output_.get();
    TWINKLE_ASSIGN_OR_RETURN(result_,
                             Tensor::FromBuffer(record_.dtype, std::move(shape), std::move(output_), data, false));
    input_ = Tensor();
  }
  output_ = nullptr;
  accumulator_ = nullptr;
  Reach(State::kDone);
  return absl::OkStatus();
}

// ---- data
absl::Status GroupTask::Move(bool* further) {
  for (; next_step_ < steps_.size(); ++next_step_) {
    TWINKLE_ASSIGN_OR_RETURN(const bool did, Do(steps_[next_step_]));
    if (!did) return absl::OkStatus();
    *further = true;
  }
  *further = true;
  return SetResult();
}

absl::StatusOr<Bytes> GroupTask::Next(int rank, int64_t bytes) {
  std::deque<Bytes>& moved = mail_.moved[rank];
  Bytes next = std::move(moved.front());
  moved.pop_front();
  if (static_cast<int64_t>(next.size()) != bytes) return absl::InternalError("a rank sends other than was agreed");
  return next;
}

absl::StatusOr<bool> GroupTask::Do(const Step& step) {
  const int64_t size = SizeOf(record_.dtype);
  const auto bytes = static_cast<size_t>(step.count * size);
  const bool takes =
      step.kind == Step::Kind::kTake ||
      ((step.kind == Step::Kind::kBegin || step.kind == Step::Kind::kFold) && step.peer != members_.self);
  Bytes taken;
  if (takes) {
    if (mail_.moved[step.peer].empty()) return false;
    TWINKLE_ASSIGN_OR_RETURN(taken, Next(step.peer, step.count * size));
  }
  Packet packet;
  packet.kind = PacketKind::kMove;
  packet.sequence = sequence_;
  switch (step.kind) {
    case Step::Kind::kSendInput:
      packet.payloads.push_back(InputBytes(step.from, step.count));
      send_(step.peer, std::move(packet));
      break;
    case Step::Kind::kSendOutput:
      packet.payloads.push_back(BytesOf(output_, output_.get() + step.from * size, step.count * size));
      send_(step.peer, std::move(packet));
      break;
    case Step::Kind::kTake:
      std::memcpy(output_.get() + step.to * size, DataOf(taken), bytes);
      break;
    case Step::Kind::kCopyInput:
      std::memcpy(output_.get() + step.to * size, input_.raw() + step.from * size, bytes);
      break;
    case Step::Kind::kBegin:
    case Step::Kind::kFold: {
      std::shared_ptr<std::byte> copy;
      const std::byte* const elements = takes ? Aligned(taken, &copy) : input_.raw() + step.from * size;
      if (elements == nullptr) return NoMemory(record_);
      FoldWith(step, elements);
      break;
    }
    case Step::Kind::kFinish:
      Finish(record_.dtype, record_.reduce, members_.size(), output_.get() + step.to * size,
             accumulator_ != nullptr ? accumulator_.get() : output_.get() + step.to * size,
             static_cast<size_t>(step.count));
      break;
  }
  return true;
}

void GroupTask::FoldWith(const Step& step, const std::byte* elements) {
  std::byte* const place =
      accumulator_ != nullptr ? accumulator_.get() : output_.get() + step.to * SizeOf(record_.dtype);
  const auto count = static_cast<size_t>(step.count);
  if (step.kind == Step::Kind::kBegin) return Begin(record_.dtype, place, elements, count);
  Fold(record_.dtype, record_.reduce, place, elements, count);
}

}  // namespace twinkle::collective
