// The interface of a process to the session's functions, and to user code inside calls.
#pragma once

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <twinkle/communicator.h>
#include <twinkle/internal/rank_facts.h>

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/actor/calls.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

class CallMaker;
class Communicators;
class GroupCalls;
class Keeper;
class LocalCalls;

// Makes, finds and puts for user code. What is done with a component is asked of its handle (Calls). Thread-safe. Keeps
// its process.
class UserApi {
 public:
  struct Parts {
    CallMaker* maker;
    GroupCalls* group_calls;
    LocalCalls* local_calls;
    Keeper* keeper;
    Communicators* communicators;
  };
  // `facts`: where code that runs outside calls is.
  UserApi(const Services* services, Parts parts, std::shared_ptr<const internal::RankFacts> facts)
      : services_(*services), parts_(parts), facts_(std::move(facts)) {}

  // Makes a component: an object of this process, or objects on a group. With the instance id of a live one, gives
  // that. Cancelled: the session's end has begun. InvalidArgument: an argument that no call can take, a group that
  // there is not, an instance id of another class or group. AlreadyExists: its name is in use. FailedPrecondition: two
  // classes have the same name here, or an argument is of another session.
  absl::StatusOr<Calls::Component> New(const internal::ClassInfo& class_info,
                                       const internal::ConstructorInfo& constructor, const NewOptions& options,
                                       std::vector<internal::CallArgument> arguments, internal::CallSite site);
  // The component of that name. NotFound: there is none. FailedPrecondition: it is of another class, or of another
  // version of this one.
  absl::StatusOr<Calls::Component> Find(absl::string_view name, const internal::ClassInfo& class_info);
  // Makes a value an object of this process. A failure is the lazy's.
  std::shared_ptr<internal::LazyCore> Put(const internal::Type& type, std::shared_ptr<void> value,
                                          internal::AnswerOps answer, internal::CallSite site);

  // See RankContext::Communicator.
  absl::StatusOr<Communicator> NewCommunicator(std::span<const std::string_view> dims);

  const ProcessOptions& options() const { return services_.options; }
  const std::shared_ptr<const internal::RankFacts>& facts() const { return facts_; }
  Directory& directory() const { return *services_.directory; }
  // Whether this belongs to the process that has those services.
  bool IsOf(const Services& services) const { return &services == &services_; }

 private:
  const Services& services_;
  const Parts parts_;
  const std::shared_ptr<const internal::RankFacts> facts_;  // also of the contexts that user code keeps
};

}  // namespace twinkle::actor
