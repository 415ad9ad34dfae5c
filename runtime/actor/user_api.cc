#include "runtime/actor/user_api.h"

#include <absl/strings/str_cat.h>

#include <string>

#include "runtime/actor/call_arguments.h"
#include "runtime/actor/call_maker.h"
#include "runtime/actor/communicators.h"
#include "runtime/actor/group_calls.h"
#include "runtime/actor/keeper.h"
#include "runtime/actor/local/local_calls.h"
#include "runtime/actor/registry.h"
#include "runtime/base/session_ended.h"
#include "runtime/base/status.h"

namespace twinkle::actor {
namespace {

std::string NewAt(internal::CallSite site) { return absl::StrCat("New [", BaseName(site.file), ":", site.line, "]"); }

}  // namespace

// The one place that decides whether a component is an object of this process.
absl::StatusOr<Calls::Component> UserApi::New(const internal::ClassInfo& class_info,
                                              const internal::ConstructorInfo& constructor, const NewOptions& options,
                                              std::vector<internal::CallArgument> arguments, internal::CallSite site) {
  if (parts_.maker->IsTooLate()) {
    return base::Annotate(base::SessionEnded(), NewAt(site));
  }
  TWINKLE_RETURN_IF_ERROR(CheckUnambiguous({class_info.name.data(), class_info.name.size()}));
  const bool local = options.local || options.group.empty() || options.group == services_.options.group;
  absl::Status bad = CheckArguments(arguments, !local, services_.options.job);
  if (bad.ok()) bad = SnapshotArguments(arguments, constructor.parameters);
  if (!bad.ok()) return base::Annotate(bad, NewAt(site));
  if (local) return parts_.local_calls->New(class_info, constructor, options, std::move(arguments), site);
  if (parts_.local_calls->Named(options.name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("there is a component named '", options.name, "' already"));
  }
  return parts_.group_calls->New(class_info, constructor, options, std::move(arguments), site);
}

absl::StatusOr<Calls::Component> UserApi::Find(absl::string_view name, const internal::ClassInfo& class_info) {
  Calls::Component found = parts_.local_calls->Named(name);
  const bool local = found != nullptr;
  if (!local) {
    TWINKLE_ASSIGN_OR_RETURN(const ComponentInfo info, services_.directory->FindComponent(name));
    found = parts_.group_calls->Bind(info);
  }
  if (const ComponentInfo& info = found->info; info.class_name != class_info.name) {
    return absl::FailedPreconditionError(
        absl::StrCat("the component '", name, "' is a ", info.class_name, ", not a ",
                     absl::string_view(class_info.name.data(), class_info.name.size())));
  }
  if (!local) TWINKLE_RETURN_IF_ERROR(CheckClass(&class_info, found->info.class_name, found->info.fingerprint));
  return found;
}

std::shared_ptr<internal::LazyCore> UserApi::Put(const internal::Type& type, std::shared_ptr<void> value,
                                                 internal::AnswerOps answer, internal::CallSite site) {
  return parts_.keeper->Put(type, std::move(value), answer, site);
}

absl::StatusOr<Communicator> UserApi::NewCommunicator(std::span<const std::string_view> dims) {
  return parts_.communicators->New(dims);
}

}  // namespace twinkle::actor
