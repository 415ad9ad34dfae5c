#include "runtime/actor/incoming_call.h"

#include <utility>

#include "runtime/actor/outgoing_call.h"
#include "runtime/actor/services.h"

namespace twinkle::actor {

std::shared_ptr<IncomingCall> IncomingCall::Own(OutgoingCall& call, Host* host, rpc::ProcessId here) {
  auto own = std::make_shared<IncomingCall>();
  own->host = host;
  own->caller = here;
  own->running->id = {here, call.id};
  own->running->trace = call.parent != nullptr ? call.parent->trace : TraceOf(own->running->id);
  own->running->deadline = call.deadline;
  own->message.call = call.id;
  own->message.component = call.component->id;
  own->method = call.method;
  own->class_name = call.component->class_name;
  own->message.method = call.name();
  own->message.file = BaseName(call.site.file);
  own->message.line = call.site.line;
  own->self = call.core;
  own->self_arguments = std::move(call.arguments);
  return own;
}

CallFacts IncomingCall::Facts(const ProcessOptions& here) const {
  const bool known = instance != nullptr && instance->class_info != nullptr;
  return {known ? instance->info.class_name : class_name,
          message.operation == Operation::kMethod ? message.method : OperationName(message.operation),
          here.group,
          here.rank,
          here.place,
          message.file,
          message.line};
}

}  // namespace twinkle::actor
