#include "runtime/actor/context.h"

#include <utility>

#include "runtime/actor/running_call.h"

namespace twinkle::actor {
namespace {

thread_local const CallContext* current = nullptr;

base::Cancellation* CancellationOf(const CallContext* context) {
  return context == nullptr || context->call == nullptr ? nullptr : &context->call->cancellation;
}

}  // namespace

const CallContext* CurrentContext() { return current; }

ContextScope::ContextScope(const CallContext* context)
    : outer_(std::exchange(current, context)), cancellation_(CancellationOf(context)) {}
ContextScope::~ContextScope() { current = outer_; }

}  // namespace twinkle::actor
