#include "runtime/actor/communicators.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/actor/binder.h"
#include "runtime/actor/user_api.h"
#include "runtime/base/status.h"
#include "runtime/collective/communicator_core.h"

namespace twinkle::actor {
namespace {

using collective::Members;
using collective::RunningMethod;
using internal::CommunicatorCore;

// The names, each once, in one order.
std::vector<std::string> Normal(std::span<const std::string_view> dims) {
  std::vector<std::string> names(dims.begin(), dims.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::Status CheckDims(const std::optional<DeviceMesh>& mesh, const std::vector<std::string>& dims) {
  for (const std::string& dim : dims) {
    if (!mesh) {
      return absl::InvalidArgumentError(
          absl::StrCat("Communicator(\"", dim, "\"): the component has no mesh whose dimension that could be"));
    }
    if (mesh->DimSize(dim) == 0) {
      return absl::InvalidArgumentError(absl::StrCat("Communicator(\"", dim,
                                                     "\"): the mesh has no such dimension; it has ",
                                                     absl::StrJoin(mesh->dim_names(), ", ")));
    }
  }
  return absl::OkStatus();
}

// Where a worker is in the dimensions that are not among `dims`: those that are equal there belong together.
absl::StatusOr<std::vector<int>> Elsewhere(const DeviceMesh& mesh, const std::vector<std::string>& dims, int rank) {
  std::vector<int> coordinates;
  for (const std::string& name : mesh.dim_names()) {
    if (std::find(dims.begin(), dims.end(), name) != dims.end()) continue;
    const std::optional<int> at = mesh.DimRank(rank, name);
    if (!at) return absl::InvalidArgumentError(absl::StrCat("Communicator: the mesh does not have rank ", rank));
    coordinates.push_back(*at);
  }
  return coordinates;
}

// The component's ranks that take part with `self`, ascending.
absl::StatusOr<std::vector<int>> RanksOf(const ComponentInfo& info, const std::vector<std::string>& dims, int self) {
  const auto workers = static_cast<int>(info.workers.size());
  std::vector<int> ranks;
  if (dims.empty()) {
    for (int rank = 0; rank < workers; ++rank) ranks.push_back(rank);
    return ranks;
  }
  if (info.mesh->world_size() % workers != 0) {
    return base::Refuse(
        "mesh_worker_mismatch",
        absl::StrCat("Communicator: ", workers, " ranks do not stand for a mesh of ", info.mesh->world_size()));
  }
  const int each = info.mesh->world_size() / workers;
  TWINKLE_ASSIGN_OR_RETURN(const std::vector<int> mine, Elsewhere(*info.mesh, dims, self * each));
  for (int rank = 0; rank < workers; ++rank) {
    TWINKLE_ASSIGN_OR_RETURN(const std::vector<int> theirs, Elsewhere(*info.mesh, dims, rank * each));
    if (theirs == mine) ranks.push_back(rank);
  }
  return ranks;
}

// A rank that is alone has nobody to agree with, and so needs no call.
class NoWire final : public collective::Wire {
 public:
  void Send(rpc::ProcessId, collective::Packet) override {}
  std::string PlaceOf(rpc::ProcessId) const override { return "this process"; }
};
Communicator Alone() {
  static NoWire* const no_wire = new NoWire;
  const Members members{.self = 0, .processes = {0}, .machines = {0}, .ranks = {0}};
  return Communicator(std::make_shared<CommunicatorCore>(
      members, [] { return std::optional(RunningMethod{.epoch = 1}); },
      [members](const RunningMethod& method) {
        return std::make_shared<collective::Meeting>(collective::MeetingKey{}, method, members, no_wire,
                                                     collective::Meeting::Options());
      }));
}

absl::StatusOr<std::optional<RunningMethod>> MethodHere(uint64_t component) {
  const CallContext* const context = CurrentContext();
  if (context == nullptr || context->call == nullptr) return std::nullopt;
  if (context->object->facts->component != component) {
    return absl::FailedPreconditionError("the communicator is of another component than the method that runs");
  }
  if (context->call->number == 0) {
    return absl::FailedPreconditionError(
        "a communicator needs a call that was made on all ranks, and this one was made on one rank");
  }
  return RunningMethod{.epoch = context->call->number,
                       .caller = context->call->id.caller,
                       .call = context->call->id.number,
                       .cancellation = {context->call, &context->call->cancellation}};
}

}  // namespace

absl::StatusOr<Communicator> Communicators::New(std::span<const std::string_view> dims) const {
  const CallContext* const context = CurrentContext();
  if (context == nullptr) return absl::FailedPreconditionError("Communicator() is for the methods of a component");
  const std::vector<std::string> names = Normal(dims);
  const uint64_t component = context->object->facts->component;
  const std::shared_ptr<const Instance> instance = host_.Find(component);
  if (instance == nullptr) {  // an object of this process alone
    TWINKLE_RETURN_IF_ERROR(CheckDims(context->object->facts->mesh, names));
    return Alone();
  }
  if (instance->class_info != nullptr && instance->class_info->max_concurrency > 1) {
    return absl::FailedPreconditionError(
        "Communicator() is not for classes with MaxConcurrency: their methods run in no order that is the same on all "
        "ranks");
  }
  const ComponentInfo& info = instance->info;
  TWINKLE_RETURN_IF_ERROR(CheckDims(info.mesh, names));
  const auto self = std::find(info.workers.begin(), info.workers.end(), services_.options.id) - info.workers.begin();
  Members members;
  TWINKLE_ASSIGN_OR_RETURN(members.ranks, RanksOf(info, names, static_cast<int>(self)));
  if (members.ranks.size() == 1) return Alone();
  for (int rank : members.ranks) {
    if (rank == self) members.self = members.size();
    members.processes.push_back(info.workers[static_cast<size_t>(rank)]);
    members.machines.push_back(services_.placement->MachineOf(members.processes.back()));
  }
  return Communicator(std::make_shared<CommunicatorCore>(
      members, [component] { return MethodHere(component); },
      [api = services_.binder->api(), &collectives = collectives_, component, members,
       text = absl::StrJoin(names, ",")](const RunningMethod& method) {
        return collectives.Open({component, text, method.epoch}, method, members);
      }));
}

}  // namespace twinkle::actor
