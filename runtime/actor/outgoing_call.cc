#include "runtime/actor/outgoing_call.h"

#include "runtime/actor/services.h"

namespace twinkle::actor {

base::CallName OutgoingCall::Name() const {
  if (class_info != nullptr) return {class_info->name, name(), site.file, site.line};
  return base::CallText(component->class_name, name(), site.file, site.line);
}

CallFacts OutgoingCall::Facts() const {
  return {component->class_name, name(), component->group, -1, "", BaseName(site.file), site.line};
}

CallFacts OutgoingCall::FactsHere(const ProcessOptions& here) const {
  CallFacts facts = Facts();
  facts.place = here.place;
  if (!facts.group.empty()) facts.rank = here.rank;
  return facts;
}

}  // namespace twinkle::actor
