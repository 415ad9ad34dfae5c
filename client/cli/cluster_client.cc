#include "client/cli/cluster_client.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/names.h"
#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/private_clusters.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/token.h"
#include "runtime/rpc/wire_limits.h"
#include "runtime/rpc/wire_place.h"
#include "runtime/rpc/wire_words.h"

namespace twinkle::cli {
namespace {

constexpr absl::Duration kAnswerLimit = absl::Seconds(5);
constexpr absl::Duration kLinesLimit = absl::Seconds(30);  // for all lines that a node keeps to arrive

}  // namespace

absl::StatusOr<std::unique_ptr<ClusterClient>> ClusterClient::Open(const std::string& driver,
                                                                   const std::string& token_file) {
  if (driver.empty()) {
    return absl::InvalidArgumentError(
        "which cluster? give --driver HOST:PORT, or set TWINKLE_DRIVER; "
        "private clusters are shown by twinkle status --all");
  }
  if (absl::StartsWith(driver, kPrivateCluster)) return OpenPrivate(driver);
  TWINKLE_ASSIGN_OR_RETURN(const rpc::WireLimits wires, rpc::WireLimitsOfEnvironment());
  TWINKLE_ASSIGN_OR_RETURN(std::string token, rpc::ReadToken(token_file));
  return std::unique_ptr<ClusterClient>(new ClusterClient(driver, driver, std::move(token), wires.services));
}

absl::StatusOr<std::unique_ptr<ClusterClient>> ClusterClient::OpenPrivate(const std::string& name) {
  for (const rpc::PrivateClusterFacts& facts : rpc::PrivateClusters(rpc::PrivateClustersFolder())) {
    if (name != absl::StrCat(kPrivateCluster, facts.program)) continue;
    return std::unique_ptr<ClusterClient>(new ClusterClient(name, facts.target, facts.token, {}));
  }
  TWINKLE_RETURN_IF_ERROR(rpc::CheckPrivateClusters(rpc::PrivateClustersFolder()));
  return absl::NotFoundError(absl::StrCat("there is no private cluster '", name,
                                          "' of this user on this machine (twinkle status --all shows them)"));
}

ClusterClient::ClusterClient(std::string driver, const std::string& target, std::string token,
                             const rpc::KeepAlive& keep_alive)
    : driver_(std::move(driver)),
      token_(std::move(token)),
      keep_alive_(keep_alive),
      stub_(v1::Driver::NewStub(rpc::NewChannel(target, {.keep_alive = keep_alive}))) {}

void ClusterClient::Prepare(grpc::ClientContext& context) const {
  rpc::Introduce(context, rpc::kTokenKey, token_);
  context.set_deadline(rpc::DeadlineIn(kAnswerLimit));
}

absl::Status ClusterClient::ErrorOf(const grpc::Status& status) const {
  absl::Status told = rpc::FromGrpc(status);
  if (!absl::IsUnavailable(told) && !absl::IsDeadlineExceeded(told)) return told;
  return absl::UnavailableError(absl::StrCat("no driver answers at ", driver_, ": is twinkle-driver running there?"));
}

absl::StatusOr<v1::ClusterStatus> ClusterClient::Status() const {
  grpc::ClientContext context;
  Prepare(context);
  v1::ClusterStatus reply;
  if (absl::Status told = ErrorOf(stub_->GetStatus(&context, v1::Nothing(), &reply)); !told.ok()) return told;
  return reply;
}

absl::Status ClusterClient::Stop(uint64_t job) const {
  grpc::ClientContext context;
  Prepare(context);
  v1::JobId request;
  request.set_job(job);
  v1::Nothing reply;
  return ErrorOf(stub_->StopJob(&context, request, &reply));
}

absl::StatusOr<v1::JobVisit> ClusterClient::Visit(uint64_t job) const {
  grpc::ClientContext context;
  Prepare(context);
  v1::JobId request;
  request.set_job(job);
  v1::JobVisit reply;
  if (absl::Status told = ErrorOf(stub_->VisitJob(&context, request, &reply)); !told.ok()) return told;
  return reply;
}

absl::StatusOr<v1::ProcessReport> ClusterClient::Report(const v1::Process& process, const std::string& ticket) const {
  const std::string who = process.group().empty()
                              ? "the program"
                              : absl::StrCat("rank ", process.rank(), " of group '", process.group(), "'");
  const std::string& target = rpc::TargetOf(process.place(), process.endpoint(), rpc::ThisMachine());
  if (target.empty() && process.place().machine() == rpc::ThisMachine()) {
    return absl::UnavailableError(absl::StrCat(who, " cannot be asked yet: its job waits for room, or just begins"));
  }
  if (target.empty()) {
    return absl::UnavailableError(
        absl::StrCat(who, " cannot be reached from this machine: run the command on ", process.place().host()));
  }
  const auto stub = v1::ProcessReports::NewStub(rpc::NewChannel(target, {.keep_alive = keep_alive_}));
  grpc::ClientContext context;
  rpc::Introduce(context, rpc::kSecretKey, ticket);
  context.set_deadline(rpc::DeadlineIn(kAnswerLimit));
  v1::ProcessReport report;
  const absl::Status told = rpc::FromGrpc(stub->Report(&context, v1::Nothing(), &report));
  if (!told.ok()) return absl::UnavailableError(absl::StrCat(who, " does not answer: ", told.message()));
  return report;
}

absl::Status ClusterClient::Watch(const v1::NodeDescription& node, const v1::WatchJob& wish,
                                  const std::function<void(const v1::Output::Line&)>& on_line) const {
  const std::string& target = rpc::TargetOf(node.place(), node.endpoint(), rpc::ThisMachine());
  if (target.empty()) {
    return absl::UnavailableError(absl::StrCat("node '", node.name(),
                                               "' cannot be reached from this machine: it was "
                                               "started without --host"));
  }
  const auto stub = v1::NodeOutput::NewStub(rpc::NewChannel(target, {.keep_alive = keep_alive_}));
  grpc::ClientContext context;
  rpc::Introduce(context, rpc::kTokenKey, token_);
  if (!wish.follow()) context.set_deadline(rpc::DeadlineIn(kLinesLimit));
  const auto reader = stub->Watch(&context, wish);
  v1::Output output;
  while (reader->Read(&output)) {
    for (const v1::Output::Line& line : output.lines()) on_line(line);
  }
  absl::Status ended = rpc::FromGrpc(reader->Finish());
  if (!absl::IsDeadlineExceeded(ended)) return ended;
  return absl::DeadlineExceededError(
      absl::StrCat("node '", base::Printable(node.name()), "' has not told all lines that it keeps within ",
                   absl::FormatDuration(kLinesLimit), ": its twinkle-worker is stopped, or hangs"));
}

}  // namespace twinkle::cli
