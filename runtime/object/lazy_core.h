// The state behind Lazy<T>: a promise of what a call gives. What its value is made of is lazy_rows.h, how that comes
// here lazy_reader.h.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/cancellation.h"
#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"
#include "runtime/object/failure_log.h"
#include "runtime/object/lazy_origin.h"
#include "runtime/object/lazy_plan.h"
#include "runtime/object/lazy_rows.h"
#include "runtime/object/object_store.h"

namespace twinkle::internal {

// Whose call a lazy is the result of. Thread-safe.
class CallOwner {
 public:
  virtual ~CallOwner() = default;
  virtual void OnCallSettled(uint64_t call) = 0;
  virtual void CancelCall(uint64_t call, const std::string& what) = 0;
};

// Thread-safe. Invariants:
//  LZ1 a lazy settles once; what OnSettled was given runs after that, once, in the settling thread or at once;
//  LZ2 shards are pulled and joined at most once, whoever asks, and only when somebody asks;
//  LZ3 a failure is entered in the failure log once, and counts as looked at as soon as a caller was given it; one that
//      the caller has asked for, with Cancel or Kill, or that comes of such a one, is not entered: it is no failure.
class TWINKLE_EXPORT LazyCore : public std::enable_shared_from_this<LazyCore> {
 public:
  explicit LazyCore(LazyOrigin origin);
  ~LazyCore();

  // ---- the producer's side
  void Succeed(object::Shards shards);
  // The same for a reference that came from another process, and what is planned over others.
  void SucceedAs(object::LazyRows made_of);
  // The joined value itself, of type `collected`: of a call in this process, or Put. Void when null.
  void SucceedWith(const std::shared_ptr<void>& value);
  // Of an iterated method: there was no further item.
  void End();
  void Fail(const absl::Status& status, std::vector<std::shared_ptr<object::Failure>> causes = {});
  void FailAsWished(const absl::Status& status);
  void SetCall(std::weak_ptr<CallOwner> owner, uint64_t call);  // before the lazy is handed out

  // ---- the user's side
  bool ended() const;  // see End
  bool Ready() const { return settled_.IsSet(); }
  // Waiting, here and below, ends early once the call in whose method the thread is has been cancelled, whatever
  // becomes of this lazy. What waits then gives the reason.
  // Block without looking at a failure; false when they ended early, or at the deadline.
  bool WaitSettled() const { return WaitSettledUntil(base::kForever); }
  bool WaitSettledUntil(base::Instant deadline) const { return base::WaitUnlessCancelled(settled_, deadline); }
  bool WaitAnswered();
  // Why waiting ends early in the calling thread; OK: it does not.
  absl::Status GivenUp() const;
  // The call's failure, or DeadlineExceeded. Looks at the failure.
  absl::Status Wait(base::Instant deadline);
  // Waits; rows of the collected value. Only own collect functions, paddings and the like make it fetch the value.
  absl::StatusOr<int64_t> Size();
  // Waits, fetches and joins; the typed answer (AnswerOps). Looks at the failure.
  const void* Answer();
  // Its failure, if it is this, counts as looked at: whoever cancels a call knows.
  void Cancel();
  // What it has come to, once it is answered: its status and, unless it is void, the typed answer. Takes no lock and
  // looks at no failure: in a forked child, where a lock may be held by a thread that only the parent has.
  struct Outcome {
    absl::Status status;
    const void* answer = nullptr;
  };
  std::optional<Outcome> OutcomeSoFar() const ABSL_NO_THREAD_SAFETY_ANALYSIS;
  // Rows [begin, end) of `source`'s collected value.
  static std::shared_ptr<LazyCore> Rows(const std::shared_ptr<LazyCore>& source, int64_t begin, int64_t end);
  // A value of type `collected` planned over those of `inputs`, of which there is at least one, once all have settled.
  // Moves nothing, but for inputs whose rows are not known without their value.
  using MakePlan = std::function<absl::StatusOr<object::LazyPlan>(std::vector<object::LazyPlan> inputs)>;
  static std::shared_ptr<LazyCore> Planned(std::vector<std::shared_ptr<LazyCore>> inputs, const std::string& what,
                                           const Type& collected, AnswerOps answer, MakePlan make);
  // One that has failed already.
  static std::shared_ptr<LazyCore> Failed(LazyOrigin origin, const absl::Status& status);

  // ---- the side of calls that take it as an argument
  void OnSettled(base::Task task);
  void OnAnswered(base::Task task);  // makes it fetch and join
  // After it settled.
  absl::Status status() const;
  std::shared_ptr<object::Failure> failure() const;
  // What its value is made of: constant once it has settled. Where that is not known(), OnAnswered and value() are the
  // way.
  const object::LazyRows& made_of() const { return made_of_; }
  // REQUIRES: made_of().known().
  codec::Rows rows() const { return made_of_.RowsOf(*origin_.collected); }
  // The joined value, once answered; null after a failure.
  std::shared_ptr<const void> value() const;
  const Type* type() const { return origin_.collected; }
  const LazyOrigin& origin() const { return origin_; }

 private:
  // What has become of the call. Failures, values that are here and the ends of void calls are answers at once.
  //   kPending ─► kSettled ─► kCollecting ─► kAnswered
  //       └────────────────────────────────────┘
  enum class Phase : uint8_t {
    kPending,     // the call is under way
    kSettled,     // it has ended; what it gave lies where it was made
    kCollecting,  // the value is on its way here
    kAnswered,    // value or failure are here, and constant
  };

  // What is to be done once it has settled, outside the lock.
  struct Following {
    std::vector<base::Task> tasks;
    std::weak_ptr<CallOwner> owner;
    uint64_t call = 0;
    void Run();
  };
  // A failure of its own, in the log where there is one.
  std::shared_ptr<object::Failure> EnterFailure(const absl::Status& status,
                                                std::vector<std::shared_ptr<object::Failure>> causes);
  void SettleFailed(const absl::Status& status, const std::shared_ptr<object::Failure>& failure);
  // The only place where the phase changes; who waits for that one is woken.
  void To(Phase next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Settle(Phase next, Following* following) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SettleRows(const LazyCore& source, codec::Range range);
  // Whether a plan over it needs its value, because its rows are not known without.
  bool PlansOverValue() const;
  absl::StatusOr<object::LazyPlan> PlanOver() const;
  void SettlePlan(const std::vector<std::shared_ptr<LazyCore>>& inputs, const MakePlan& make);
  void SettleAs(absl::StatusOr<object::LazyPlan> plan);
  void StartCollect(bool here);  // `here`: the calling thread may join
  void SetAnswer(absl::StatusOr<std::shared_ptr<void>> answer);
  const void* GivenUpAnswer();

  const LazyOrigin origin_;
  base::Event settled_;   // the phase is kSettled, or a later one
  base::Event answered_;  // the phase is kAnswered

  mutable base::Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kPending;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;  // by the user
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<object::Failure> failure_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<void> answer_ ABSL_GUARDED_BY(mutex_);
  std::vector<base::Task> on_settled_ ABSL_GUARDED_BY(mutex_);
  std::vector<base::Task> on_answered_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<void>> given_up_ ABSL_GUARDED_BY(mutex_);  // answers of waits that ended early
  std::weak_ptr<CallOwner> owner_ ABSL_GUARDED_BY(mutex_);
  uint64_t call_ ABSL_GUARDED_BY(mutex_) = 0;

  object::LazyRows made_of_;  // written before it settles, constant afterwards
};

}  // namespace twinkle::internal
