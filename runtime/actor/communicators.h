// Communicators: makes those that methods ask for, from what their process knows of component, mesh and call.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/communicator.h>

#include <span>
#include <string_view>

#include "runtime/actor/host.h"
#include "runtime/actor/services.h"
#include "runtime/collective/collectives.h"

namespace twinkle::actor {

// Packets as messages of processes. Thread-safe.
class CollectiveWire final : public collective::Wire {
 public:
  explicit CollectiveWire(const Services* services) : services_(*services) {}
  void Send(rpc::ProcessId to, collective::Packet packet) override { services_.Send(to, rpc::Stream::kData, packet); }
  std::string PlaceOf(rpc::ProcessId process) const override { return services_.placement->PlaceOf(process); }

 private:
  const Services& services_;
};

// Thread-safe.
class Communicators {
 public:
  Communicators(const Services* services, const Host* host, collective::Collectives* collectives)
      : services_(*services), host_(*host), collectives_(*collectives) {}

  // Of the component whose method the calling thread runs: all ranks, or, with names of dimensions, those that differ
  // from this one in these only. Local: nothing is sent. FailedPrecondition: the thread is in no method of a component,
  // or in one of several threads (MaxConcurrency). InvalidArgument: the component's mesh has no such dimension, or
  // there is none, or its ranks do not stand for it.
  absl::StatusOr<Communicator> New(std::span<const std::string_view> dims) const;

 private:
  const Services& services_;
  const Host& host_;
  collective::Collectives& collectives_;
};

}  // namespace twinkle::actor
