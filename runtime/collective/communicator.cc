#include <absl/strings/str_cat.h>
#include <twinkle/communicator.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/call_name.h"
#include "runtime/base/status.h"
#include "runtime/collective/communicator_core.h"
#include "runtime/collective/fold.h"

namespace twinkle {
namespace internal {

using collective::Operation;
using collective::Record;

absl::StatusOr<std::shared_ptr<collective::Meeting>> CommunicatorCore::Enter() {
  TWINKLE_ASSIGN_OR_RETURN(const std::optional<collective::RunningMethod> method, where_());
  base::MutexLock lock(&mutex_);
  if (method && (meeting_ == nullptr || epoch_ != method->epoch)) {
    meeting_ = open_(*method);
    epoch_ = method->epoch;
  }
  if (meeting_ != nullptr) return meeting_;
  return absl::FailedPreconditionError(
      "a communicator is used while a method of its component runs: first by the thread that runs it");
}

absl::Status CommunicatorCore::Check(const Record& record) const {
  if (collective::Reduces(record.operation)) {
    TWINKLE_RETURN_IF_ERROR(collective::CheckReduction(record.dtype, record.reduce));
  }
  if (!collective::HasRoot(record.operation)) return absl::OkStatus();
  if (record.root < 0 || record.root >= members_.size()) {
    return absl::InvalidArgumentError(absl::StrCat(TextOf(record), ": there is no rank ", record.root, " among ",
                                                   members_.size(), " ranks of the communicator"));
  }
  if (collective::IsPair(record.operation) && record.root == members_.self) {
    return absl::InvalidArgumentError(absl::StrCat(TextOf(record), ": that is this rank itself"));
  }
  return absl::OkStatus();
}

std::shared_ptr<Issued> CommunicatorCore::Start(Record record, const Tensor& tensor, CallSite site) {
  auto issued = std::make_shared<Issued>();
  record.rank = members_.self;
  record.file = base::BaseName(site.file);
  record.line = site.line;
  record.dtype = tensor.dtype();
  record.row_size = 1;
  const std::vector<int64_t>& shape = tensor.shape();
  for (size_t i = 0; i < shape.size(); ++i) (i == 0 ? record.rows : record.row_size) *= shape[i];
  issued->failed = Check(record);
  if (!issued->failed.ok()) return issued;
  absl::StatusOr<std::shared_ptr<collective::Meeting>> meeting = Enter();
  issued->failed = meeting.status();
  if (!issued->failed.ok()) return issued;
  issued->meeting = *std::move(meeting);
  absl::StatusOr<std::shared_ptr<collective::Task>> task =
      issued->meeting->Issue(std::move(record), tensor.Contiguous());
  issued->failed = task.status();
  if (task.ok()) issued->task = *std::move(task);
  return issued;
}

}  // namespace internal

namespace {

using collective::Operation;
using collective::Record;

Record Like(Operation operation, int root = 0, ReduceOp op = ReduceOp::kSum) {
  return {.operation = operation, .reduce = op, .root = root};
}

absl::Status InPlace(PendingTensor pending, Tensor* tensor) {
  Answer<Tensor> result = pending.Wait();
  if (!result.ok()) return result.status();
  *tensor = *std::move(result);
  return absl::OkStatus();
}

}  // namespace

Answer<Tensor> PendingTensor::Wait() {
  const std::shared_ptr<internal::Issued> issued = std::exchange(issued_, nullptr);
  if (issued == nullptr) return absl::FailedPreconditionError("nothing was issued, or its result was taken before");
  TWINKLE_RETURN_IF_ERROR(issued->failed);
  TWINKLE_RETURN_IF_ERROR(issued->meeting->Wait(issued->task));
  return issued->task->TakeResult();
}

int Communicator::rank() const { return core_->members().self; }
int Communicator::size() const { return core_->members().size(); }
const std::vector<int>& Communicator::ranks() const& { return core_->members().ranks; }

PendingTensor Communicator::AllReduceAsync(const Tensor& tensor, ReduceOp op, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kAllReduce, 0, op), tensor, site));
}
PendingTensor Communicator::ReduceAsync(const Tensor& tensor, int root, ReduceOp op, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kReduce, root, op), tensor, site));
}
PendingTensor Communicator::BroadcastAsync(const Tensor& tensor, int root, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kBroadcast, root), tensor, site));
}
PendingTensor Communicator::AllGatherAsync(const Tensor& tensor, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kAllGather), tensor, site));
}
PendingTensor Communicator::ReduceScatterAsync(const Tensor& tensor, ReduceOp op, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kReduceScatter, 0, op), tensor, site));
}
PendingTensor Communicator::AllToAllAsync(const Tensor& tensor, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kAllToAll), tensor, site));
}
PendingTensor Communicator::SendAsync(const Tensor& tensor, int peer, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kSend, peer), tensor, site));
}
PendingTensor Communicator::RecvAsync(const Tensor& tensor, int peer, Site site) {
  return PendingTensor(core_->Start(Like(Operation::kRecv, peer), tensor, site));
}

absl::Status Communicator::AllReduce(Tensor* tensor, ReduceOp op, Site site) {
  return InPlace(AllReduceAsync(*tensor, op, site), tensor);
}
absl::Status Communicator::Reduce(Tensor* tensor, int root, ReduceOp op, Site site) {
  return InPlace(ReduceAsync(*tensor, root, op, site), tensor);
}
absl::Status Communicator::Broadcast(Tensor* tensor, int root, Site site) {
  return InPlace(BroadcastAsync(*tensor, root, site), tensor);
}
Answer<Tensor> Communicator::AllGather(const Tensor& tensor, Site site) { return AllGatherAsync(tensor, site).Wait(); }
Answer<Tensor> Communicator::ReduceScatter(const Tensor& tensor, ReduceOp op, Site site) {
  return ReduceScatterAsync(tensor, op, site).Wait();
}
Answer<Tensor> Communicator::AllToAll(const Tensor& tensor, Site site) { return AllToAllAsync(tensor, site).Wait(); }
absl::Status Communicator::Send(const Tensor& tensor, int peer, Site site) {
  return SendAsync(tensor, peer, site).Wait().status();
}
absl::Status Communicator::Recv(Tensor* tensor, int peer, Site site) {
  return InPlace(RecvAsync(*tensor, peer, site), tensor);
}
absl::Status Communicator::Barrier(Site site) {
  return PendingTensor(core_->Start(Like(Operation::kBarrier), Tensor(), site)).Wait().status();
}

Answer<std::vector<Tensor>> Communicator::WaitAll(std::vector<PendingTensor> batch) {
  std::vector<Tensor> results;
  results.reserve(batch.size());
  absl::Status first;
  for (PendingTensor& pending : batch) {
    Answer<Tensor> result = pending.Wait();
    if (first.ok()) first = result.status();
    results.push_back(result.ok() ? *std::move(result) : Tensor());
  }
  if (!first.ok()) return first;
  return results;
}

}  // namespace twinkle
