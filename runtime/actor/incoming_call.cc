#include "runtime/actor/incoming_call.h"

#include "runtime/actor/services.h"

namespace twinkle::actor {

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
