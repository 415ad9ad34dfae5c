#include "client/src/cluster_directory.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <utility>

#include "client/src/job_description.h"
#include "runtime/actor/groups.h"
#include "runtime/base/status.h"
#include "runtime/codec/flat.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/wire_place.h"
#include "runtime/rpc/wire_words.h"

namespace twinkle::internal {
namespace {

using actor::ComponentInfo;
using actor::GroupInfo;

constexpr absl::Duration kAnswerLimit = absl::Seconds(10);

// The driver keeps the description as it is: it is for processes alone.
absl::StatusOr<std::string> EncodeInfo(const ComponentInfo& info) { return codec::EncodeFlat(info); }

absl::StatusOr<ComponentInfo> DecodeInfo(const v1::Component& component) {
  TWINKLE_ASSIGN_OR_RETURN(ComponentInfo info, codec::DecodeFlat<ComponentInfo>(component.description()));
  info.id = component.id();
  if (!info.shared_lane) {
    info.domain = info.id;
    info.domain_workers = info.workers;
  }
  return info;
}

absl::Status FromDriver(const grpc::Status& status) {
  absl::Status told = rpc::FromGrpc(status);
  if (absl::IsUnavailable(told) || absl::IsDeadlineExceeded(told)) {
    return absl::UnavailableError(absl::StrCat("the driver does not answer: ", told.message()));
  }
  return told;
}

}  // namespace

ClusterDirectory::ClusterDirectory(std::vector<GroupInfo> groups, const std::string& driver,
                                   const rpc::KeepAlive& keep_alive, std::string secret, Introduce introduce)
    : groups_(std::move(groups)),
      secret_(std::move(secret)),
      introduce_(std::move(introduce)),
      stub_(v1::Driver::NewStub(rpc::NewChannel(driver, {.keep_alive = keep_alive}))) {}

void ClusterDirectory::Prepare(grpc::ClientContext& context) const {
  rpc::Introduce(context, rpc::kSecretKey, secret_);
  context.set_deadline(rpc::DeadlineIn(kAnswerLimit));
}

absl::StatusOr<GroupInfo> ClusterDirectory::FindGroup(absl::string_view name) {
  std::vector<std::string> names;
  for (const GroupInfo& group : groups_) {
    if (group.name == name) return group;
    names.push_back(group.name);
  }
  return actor::NoSuchGroup(name, names);
}

absl::StatusOr<ComponentInfo> ClusterDirectory::AddComponent(ComponentInfo component, absl::string_view instance_id,
                                                             bool* existed) {
  v1::Component request;
  request.set_name(component.name);
  request.set_class_name(component.class_name);
  request.set_group(component.group);
  request.set_instance_id(std::string(instance_id));
  TWINKLE_ASSIGN_OR_RETURN(*request.mutable_description(), EncodeInfo(component));
  TWINKLE_RETURN_IF_ERROR(CheckSize(request));
  grpc::ClientContext context;
  Prepare(context);
  v1::AddComponentReply reply;
  const auto writer = stub_->AddComponent(&context, &reply);
  writer->WriteLast(request, grpc::WriteOptions());
  TWINKLE_RETURN_IF_ERROR(FromDriver(writer->Finish()));
  *existed = reply.existed();
  return DecodeInfo(reply.component());
}

void ClusterDirectory::RemoveComponent(uint64_t id) {
  grpc::ClientContext context;
  Prepare(context);
  v1::ComponentId request;
  request.set_id(id);
  v1::Nothing reply;
  (void)stub_->RemoveComponent(&context, request, &reply);  // a driver that is gone keeps no names
}

absl::StatusOr<ComponentInfo> ClusterDirectory::FindComponent(absl::string_view name) {
  grpc::ClientContext context;
  Prepare(context);
  v1::ComponentName request;
  request.set_name(std::string(name));
  v1::FoundComponent reply;
  TWINKLE_RETURN_IF_ERROR(FromDriver(stub_->FindComponent(&context, request, &reply)));
  for (const v1::Process& process : reply.processes()) TWINKLE_RETURN_IF_ERROR(CheckReachable(process));
  for (const v1::Process& process : reply.processes()) introduce_(process, reply.ticket());
  return DecodeInfo(reply.component());
}

std::vector<ComponentInfo> ClusterDirectory::Components() {
  grpc::ClientContext context;
  Prepare(context);
  v1::Components reply;
  std::vector<ComponentInfo> all;
  if (!stub_->ListComponents(&context, v1::JobId(), &reply).ok()) return all;
  for (const v1::Component& component : reply.components()) {
    absl::StatusOr<ComponentInfo> info = DecodeInfo(component);
    if (info.ok()) all.push_back(*std::move(info));
  }
  return all;
}

absl::StatusOr<std::string> ClusterDirectory::Rendezvous(uint64_t component) {
  {
    base::MutexLock lock(&mutex_);
    const auto known = rendezvous_.find(component);
    if (known != rendezvous_.end()) return known->second;
  }
  grpc::ClientContext context;
  Prepare(context);
  v1::ComponentId request;
  request.set_id(component);
  v1::RendezvousReply reply;
  TWINKLE_RETURN_IF_ERROR(FromDriver(stub_->Rendezvous(&context, request, &reply)));
  base::MutexLock lock(&mutex_);
  return rendezvous_[component] = reply.address();
}

void ClusterDirectory::Meet(rpc::ProcessId process, std::function<void(absl::StatusOr<v1::MetProcess>)> done) const {
  struct Call {
    grpc::ClientContext context;
    v1::ProcessId request;
    v1::MetProcess reply;
  };
  const auto call = std::make_shared<Call>();
  rpc::KeepCallbacks();
  Prepare(call->context);
  call->request.set_id(process);
  stub_->async()->Meet(&call->context, &call->request, &call->reply,
                       [call, done = std::move(done)](const grpc::Status& status) {
                         if (const absl::Status told = FromDriver(status); !told.ok()) return done(told);
                         done(std::move(call->reply));
                       });
}

// ---- from the driver's words
std::vector<GroupInfo> GroupsOf(const google::protobuf::RepeatedPtrField<v1::GroupLayout>& groups,
                                rpc::ProcessId first_process) {
  std::vector<GroupInfo> infos;
  for (const v1::GroupLayout& group : groups) {
    GroupInfo info{group.name(), group.device_type(), actor::GroupDomain(first_process), {}, {}};
    const int of_each = group.workers() == 0 ? 0 : group.devices_size() / group.workers();
    for (int worker = 0; worker < group.workers(); ++worker) {
      info.workers.push_back(first_process++);
      const auto first = group.devices().begin() + worker * of_each;
      if (!info.is_cpu()) info.devices.emplace_back(first, first + of_each);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

absl::Status CheckReachable(const v1::Process& to) {
  const bool listens = !to.endpoint().socket().empty();
  if (!listens || !rpc::TargetOf(to.place(), to.endpoint(), rpc::ThisMachine()).empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("rank ", to.rank(), " of group '", to.group(), "' (",
                                                    rpc::PlaceText(to.place()),
                                                    ") can be reached from its own machine "
                                                    "only: start the twinkle-worker of node '",
                                                    to.place().node(),
                                                    "' with --host (TWINKLE_HOST), the name or address "
                                                    "by which other machines reach it"));
}

}  // namespace twinkle::internal
