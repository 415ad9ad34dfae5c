// Communicator: what the ranks of a component do together with their tensors, inside its methods.
#pragma once

#include <absl/status/status.h>
#include <twinkle/answer.h>
#include <twinkle/internal/class_info.h>
#include <twinkle/internal/export.h>
#include <twinkle/tensor.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace twinkle {
namespace internal {
class CommunicatorCore;
struct Issued;
}  // namespace internal

// How the elements of several ranks become one. Of floats and complex numbers there are sum, mean and product, of
// floats also min and max (where one is nan, so is the result); of integers all but mean, with sums and products modulo
// 2^bits; of bools min (and) and max (or). Floats of 8 bits are moved, but not reduced.
enum class ReduceOp : uint8_t { kSum, kMean, kMin, kMax, kProduct };

// An operation that was issued and may be under way. One that nobody waits for before the method ends fails on all
// ranks. Move-only.
class TWINKLE_EXPORT PendingTensor {
 public:
  PendingTensor() = default;
  // Blocks until the operation has ended, and gives its result; once. Operations advance while a thread of the rank is
  // in Wait, or in an operation that blocks. Errors are the operation's; FailedPrecondition: nothing was issued, or its
  // result was taken before.
  Answer<Tensor> Wait();

 private:
  friend class Communicator;
  explicit PendingTensor(std::shared_ptr<internal::Issued> issued) : issued_(std::move(issued)) {}
  std::shared_ptr<internal::Issued> issued_;
};

// All ranks of a component, or those of some dimensions of its mesh, as Context().Communicator() gave it inside a
// method. It may be kept as long as the object; each of its ranks issues the same operations in the same order in each
// call. Cheap to copy.
//
// Results do not depend on where ranks are, on sizes, or on timing: element by element, a reduction is
// ((x0 + x1) + x2) + …, in the order of ranks, rounded at each step to the tensor's dtype, or to float32 for bfloat16
// and float16, which are rounded once at the end. A mean is the sum divided by the number of ranks.
//
// Which thread: one at a time, between a method's begin and end: the one that runs the method, or, once that has used
// this communicator in that call, another that works for it.
//
// Errors of all operations, which then end on all ranks: Aborted: a rank has ended, has failed, or its call was
// cancelled or has taken too long; the message names the rank, its host and the first cause. FailedPrecondition: ranks
// have issued different operations, or with different roots, dtypes, sizes or reductions, and the message names both
// with file and line; a rank has left the method without what its peers wait for; the calling thread is in no method
// that was called on all ranks. ResourceExhausted: there is no memory for the result. Of one rank alone,
// InvalidArgument: a root or peer that is none of its ranks, a reduction that the dtype does not have. After an error
// the communicator fails until the call's end; in the next call it is as new, unless a rank has ended.
class TWINKLE_EXPORT Communicator {
 public:
  using Site = internal::CallSite;

  int rank() const;  // of this process, among the communicator's
  int size() const;
  // The component's ranks that take part, ascending; rank() is an index in it.
  const std::vector<int>& ranks() const&;

  // Each blocks until it has ended here. Tensors behind pointers hold the result then; after an error they have any
  // elements. What is shared or not contiguous is copied first.

  // The same reduction of all ranks' tensors on each.
  absl::Status AllReduce(Tensor* tensor, ReduceOp op = ReduceOp::kSum, Site site = Site::Here());
  // On the root; the others keep their tensors.
  absl::Status Reduce(Tensor* tensor, int root, ReduceOp op = ReduceOp::kSum, Site site = Site::Here());
  // The root's elements; all give a tensor of that dtype and size.
  absl::Status Broadcast(Tensor* tensor, int root, Site site = Site::Here());
  // The rows of all ranks, in the order of ranks. Rows have one size; each rank may give another number of them.
  // Scalars become rows.
  Answer<Tensor> AllGather(const Tensor& tensor, Site site = Site::Here());
  // This rank's share of the rows of the reduction. Shares differ by one row at most; the first are the larger ones.
  Answer<Tensor> ReduceScatter(const Tensor& tensor, ReduceOp op = ReduceOp::kSum, Site site = Site::Here());
  // Of each rank the share of its rows that is for this rank, in the order of ranks. Shares as of ReduceScatter.
  Answer<Tensor> AllToAll(const Tensor& tensor, Site site = Site::Here());
  // Returns once the peer has called Recv, for a tensor of the same dtype and size.
  absl::Status Send(const Tensor& tensor, int peer, Site site = Site::Here());
  absl::Status Recv(Tensor* tensor, int peer, Site site = Site::Here());
  // Returns once all ranks have called it.
  absl::Status Barrier(Site site = Site::Here());

  // The same, without blocking; what is wrong is Wait's result. Issued on all ranks in one order. Those that only send,
  // or keep their tensor, give back what they were given.
  PendingTensor AllReduceAsync(const Tensor& tensor, ReduceOp op = ReduceOp::kSum, Site site = Site::Here());
  PendingTensor ReduceAsync(const Tensor& tensor, int root, ReduceOp op = ReduceOp::kSum, Site site = Site::Here());
  PendingTensor BroadcastAsync(const Tensor& tensor, int root, Site site = Site::Here());
  PendingTensor AllGatherAsync(const Tensor& tensor, Site site = Site::Here());
  PendingTensor ReduceScatterAsync(const Tensor& tensor, ReduceOp op = ReduceOp::kSum, Site site = Site::Here());
  PendingTensor AllToAllAsync(const Tensor& tensor, Site site = Site::Here());
  PendingTensor SendAsync(const Tensor& tensor, int peer, Site site = Site::Here());
  PendingTensor RecvAsync(const Tensor& tensor, int peer, Site site = Site::Here());

  // Waits for all of them, as a batch: sends and receives advance beside each other, so that two ranks may send to each
  // other; what all ranks take part in goes one after the other. The results stand in the order of `batch`. The first
  // error, after all have ended.
  static Answer<std::vector<Tensor>> WaitAll(std::vector<PendingTensor> batch);

  // For the library.
  explicit Communicator(std::shared_ptr<internal::CommunicatorCore> core) : core_(std::move(core)) {}

 private:
  std::shared_ptr<internal::CommunicatorCore> core_;
};

}  // namespace twinkle
