#include <twinkle/communicator.h>
#include <twinkle/context.h>

#include "client/src/session_state.h"
#include "runtime/actor/running_call.h"

namespace twinkle {

namespace internal {

const std::shared_ptr<const RankFacts>& FactsOfNobody() {
  static const auto* const facts = new std::shared_ptr<const RankFacts>(new RankFacts);  // threads outlive statics
  return *facts;
}

}  // namespace internal

RankContext Context() {
  RankContext context;
  if (const actor::CallContext* call = actor::CurrentContext()) {
    context.facts_ = call->object->facts;
    if (call->call != nullptr) context.cancelled_ = {call->call, &call->call->cancellation.flag()};
  } else if (const auto api = internal::CurrentApi()) {
    context.facts_ = api->facts();
  }
  return context;
}

Answer<twinkle::Communicator> RankContext::Communicator(std::initializer_list<std::string_view> dims) const {
  const auto api = internal::CurrentApi();
  if (api == nullptr) return absl::FailedPreconditionError("Communicator() is for the methods of a component");
  return api->NewCommunicator({dims.begin(), dims.size()});
}
Answer<twinkle::Communicator> RankContext::Communicator() const { return Communicator({}); }
Answer<twinkle::Communicator> RankContext::Communicator(std::string_view dim) const { return Communicator({dim}); }

Answer<std::string> RankContext::Rendezvous() const {
  const auto api = internal::CurrentApi();
  if (api == nullptr || facts_->component == 0) {
    return absl::FailedPreconditionError("Rendezvous() is for the methods of a component on a group");
  }
  return api->directory().Rendezvous(facts_->component);
}

}  // namespace twinkle
