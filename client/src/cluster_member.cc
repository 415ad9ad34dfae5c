#include "client/src/cluster_member.h"

#include <absl/strings/str_cat.h>

#include <map>
#include <utility>

#include "client/src/process_report.h"
#include "runtime/base/memory.h"
#include "runtime/base/wait_helper.h"
#include "runtime/memory/segment_pool.h"
#include "runtime/rpc/near/near_transport.h"

namespace twinkle::internal {
namespace {

// An introducer that asks the driver.
rpc::GrpcTransport::Introducer IntroducerFrom(std::shared_ptr<ClusterDirectory> directory,
                                              std::shared_ptr<PeerTable> table) {
  return [directory = std::move(directory), table = std::move(table)](rpc::ProcessId process, auto done) {
    directory->Meet(process, [table, done = std::move(done)](absl::StatusOr<v1::MetProcess> met) {
      if (!met.ok()) return done(met.status());
      if (const absl::Status reachable = CheckReachable(met->process()); !reachable.ok()) return done(reachable);
      done(table->Add(met->process(), met->ticket()));
    });
  };
}

// The options of the segment pool. Memory that is touched beforehand is to stay.
memory::SegmentOptions PoolOptions(size_t prefault_bytes) {
  memory::SegmentOptions options;
  options.capacity = base::MachineMemory();
  if (prefault_bytes > 0) options.keep_idle = absl::InfiniteDuration();
  return options;
}

// A process of a job; the program is in no group.
struct Member {
  std::string group;
  int rank = 0;
};

std::string NameOf(const Member& member, const std::string& place) {
  if (member.group.empty()) return absl::StrCat("the program (", place, ")");
  return absl::StrCat("rank ", member.rank, " of group '", member.group, "' (", place, ")");
}

// Two processes of a job that both live and have lost each other cannot both stay in it: the group of the other ends,
// or this process's own when the other is the program. A process of another job ends by nobody's word here.
rpc::GrpcTransport::OnCut EndGroupOfCut(const actor::ProcessOptions& self, const std::vector<actor::GroupInfo>& groups,
                                        const EndGroup& end_group, const std::shared_ptr<PeerTable>& table) {
  std::map<rpc::ProcessId, Member> members;
  for (const actor::GroupInfo& group : groups) {
    int rank = 0;
    for (rpc::ProcessId worker : group.workers) members[worker] = {group.name, rank++};
  }
  return [members = std::move(members), id = self.id, own = Member{self.group, self.rank}, place = self.place,
          end_group, table](rpc::ProcessId peer, const absl::Status& why) {
    if (peer >> rpc::kProcessBits != id >> rpc::kProcessBits) return;
    const auto found = members.find(peer);
    const Member other = found == members.end() ? Member{} : found->second;
    const std::string& group = other.group.empty() ? own.group : other.group;
    if (group.empty()) return;
    end_group(peer, group,
              absl::UnavailableError(absl::StrCat(NameOf(own, place), " and ", NameOf(other, table->PlaceOf(peer)),
                                                  " cannot reach each other: ", why.message())));
  };
}

// Touches memory of the pool, beside everything else, so that it is quick when it is needed.
std::shared_ptr<base::TaskQueue> Prefault(const std::shared_ptr<memory::SegmentPool>& pool, base::Executor& executor,
                                          size_t bytes) {
  if (bytes == 0) return nullptr;
  std::shared_ptr<base::TaskQueue> queue = executor.NewQueue("prefault");
  if (queue != nullptr) queue->Post([pool, bytes] { pool->Allocate(bytes, false); });
  return queue;
}

}  // namespace

std::shared_ptr<actor::Process> StartProcess(actor::ProcessOptions options, ClusterMember member) {
  rpc::GrpcTransport* const transport = member.transport.get();
  const std::shared_ptr<rpc::Traffic> traffic = transport->traffic();
  auto on_cut = EndGroupOfCut(options, member.groups, member.end_group, member.table);
  auto directory = std::make_shared<ClusterDirectory>(
      std::move(member.groups), member.driver, member.keep_alive, std::move(member.secret),
      [table = member.table, transport](const v1::Process& process, const std::string& ticket) {
        transport->Introduce(process.id(), table->Add(process, ticket));
      });
  actor::Surroundings surroundings;
  surroundings.executor = base::NewThreadExecutor();
  surroundings.share_service = true;
  surroundings.directory = directory;
  surroundings.notifier = std::move(member.notifier);
  surroundings.traffic = traffic;
  surroundings.placement = std::make_shared<ClusterPlacement>(member.table, std::move(member.end_group));
  auto pool = std::make_shared<memory::SegmentPool>(PoolOptions(member.prefault_bytes));
  base::SetMemorySource(pool);
  const auto files = std::make_shared<memory::MappedFiles>();
  options.spill.mapped = files;
  surroundings.kept = {Prefault(pool, *surroundings.executor, member.prefault_bytes)};
  const rpc::IsNear near = [table = member.table](rpc::ProcessId id) { return table->IsNear(id); };
  transport->SetEvents(IntroducerFrom(directory, member.table), std::move(on_cut));
  auto wire = std::make_unique<rpc::NearTransport>(
      rpc::NearTransport::Options{
          .self = options.id, .is_near = near, .buffers = {.memories = {pool}, .files = files}, .traffic = traffic},
      surroundings.executor.get(), std::move(member.transport));
  base::SetWaitHelper(wire->helper());
  surroundings.transport = std::move(wire);
  auto process = actor::Process::Start(std::move(options), std::move(surroundings));
  if (process == nullptr) return nullptr;
  transport->SetReport([weak = std::weak_ptr(process), pool] {
    const auto one = weak.lock();
    return one == nullptr ? "" : ReportOf(*one, *pool).SerializeAsString();
  });
  return process;
}

}  // namespace twinkle::internal
