// The thread of a remote object, or the threads of one with MaxConcurrency.
#pragma once

#include <absl/time/time.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/actor/incoming_call.h"
#include "runtime/base/clock.h"
#include "runtime/base/executor.h"

namespace twinkle::actor {

// Runs the calls on an object, or on all objects of a device group's rank. Confined to the process's service queue; Run
// alone is called on the lane's threads. Destroy stops it, Abandon gives it up. Invariants:
//  LA1 calls begin in the order in which they were added, each when its arguments are here;
//  LA2 with one thread a call begins after the one before it has ended;
//  LA3 with several threads construction and destruction still run alone;
//  LA4 a thread is started when a call needs it. Where none can be had the lane does with those that it has; without
//      any the call is refused;
//  LA5 nothing begins after a construction, or a destruction, before Done was called for it.
class Lane {
 public:
  // Runs a call on the lane's thread; called there.
  using Run = std::function<void(const std::shared_ptr<IncomingCall>&)>;
  // Answers a call that cannot run, which counts as done.
  using Refuse = std::function<void(const std::shared_ptr<IncomingCall>&, const absl::Status&)>;

  // A lane of at most `threads` threads. None is started yet.
  Lane(base::Executor* executor, std::string name, int threads, Run run, Refuse refuse);

  void Add(std::shared_ptr<IncomingCall> call);
  // Lets those calls go that may, after the arguments of one have come.
  void Pump();
  // A call has left its thread.
  void Done(const std::shared_ptr<IncomingCall>& call);

  // Destroys the objects on the lane, after the call under way, and ends its threads. Blocks. False: that was not done
  // by the deadline, and the threads are left to themselves.
  bool Destroy(std::vector<std::shared_ptr<Instance>> objects, base::Instant deadline);
  // Leaves a thread that is in user code to itself; nothing else begins.
  void Abandon();
  bool busy() const;

 private:
  struct Thread {
    std::unique_ptr<base::TaskQueue> queue;
    const IncomingCall* running = nullptr;  // only kept with several threads
  };
  // A thread that may take the next call. Null: there is none for now.
  Thread* FreeThread();
  Thread* StartThread();
  void Post(Thread& thread, std::shared_ptr<IncomingCall> call);

  base::Executor& executor_;
  const std::string name_;
  const size_t most_threads_;
  const std::shared_ptr<const Run> run_;
  const Refuse refuse_;
  std::vector<Thread> threads_;
  std::deque<std::shared_ptr<IncomingCall>> waiting_;
  size_t posted_ = 0;
  bool exclusive_ = false;  // one that runs alone is posted
  bool abandoned_ = false;
};

}  // namespace twinkle::actor
