// The router: which part of a process each message is for.
#pragma once

#include "runtime/actor/accounts.h"
#include "runtime/actor/caller.h"
#include "runtime/actor/constructions.h"
#include "runtime/actor/host.h"
#include "runtime/actor/messages.h"
#include "runtime/actor/object_exchange.h"
#include "runtime/collective/collectives.h"

namespace twinkle::actor {

// Gives each message to its part. Confined to the process's service queue.
class Router {
 public:
  struct Parts {
    Caller* caller;
    Host* host;
    ObjectExchange* objects;
    Accounts* accounts;
    Constructions* constructions;
    collective::Collectives* collectives;
  };
  explicit Router(Parts parts) : parts_(parts) {}

  // Routes a message. Its part may take from it what it likes.
  void Route(rpc::ProcessId from, Message& message);

 private:
  const Parts parts_;
};

}  // namespace twinkle::actor
