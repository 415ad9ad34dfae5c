// CommunicatorCore: what a Communicator is of.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/communicator.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/base/mutex.h"
#include "runtime/collective/meeting.h"

namespace twinkle::internal {

// Thread-safe. Where operations on device memory would go another way: by the tensor that Start is given.
class CommunicatorCore {
 public:
  // Of the calling thread: the method of the communicator's component that it runs; nothing: it runs none.
  // FailedPrecondition: it is in one that communicators cannot be used in.
  using Where = std::function<absl::StatusOr<std::optional<collective::RunningMethod>>()>;
  using Open = std::function<std::shared_ptr<collective::Meeting>(const collective::RunningMethod& method)>;

  CommunicatorCore(collective::Members members, Where where, Open open)
      : members_(std::move(members)), where_(std::move(where)), open_(std::move(open)) {}

  const collective::Members& members() const { return members_; }
  // Issues the operation. `record`: but for what the tensor says. Errors as Communicator's.
  std::shared_ptr<Issued> Start(collective::Record record, const Tensor& tensor, CallSite site);

 private:
  absl::StatusOr<std::shared_ptr<collective::Meeting>> Enter();
  absl::Status Check(const collective::Record& record) const;

  const collective::Members members_;
  const Where where_;
  const Open open_;
  base::Mutex mutex_;
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;                            // of that:
  std::shared_ptr<collective::Meeting> meeting_ ABSL_GUARDED_BY(mutex_);  // the latest
};

struct Issued {
  absl::Status failed;  // when it was issued
  std::shared_ptr<collective::Meeting> meeting;
  std::shared_ptr<collective::Task> task;
};

}  // namespace twinkle::internal
