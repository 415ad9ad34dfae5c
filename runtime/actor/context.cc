#include "runtime/actor/context.h"

#include <utility>

namespace twinkle::actor {
namespace {

thread_local const CallContext* current = nullptr;

}  // namespace

const CallContext* CurrentContext() { return current; }

ContextScope::ContextScope(const CallContext* context) : outer_(std::exchange(current, context)) {}
ContextScope::~ContextScope() { current = outer_; }

}  // namespace twinkle::actor
