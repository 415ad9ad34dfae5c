#include "runtime/actor/process.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "runtime/base/log.h"

namespace twinkle::actor {
namespace {

constexpr absl::Duration kDrainTime = absl::Seconds(1);  // for what is not stuck, however late it is

// Closes the queue after what was posted to it has run. False: a task is stuck, and left to itself.
bool CloseDrained(base::TaskQueue& queue, base::Instant deadline) {
  const auto drained = std::make_shared<base::Event>();
  queue.Post([drained] { drained->Set(); });
  const bool in_time = drained->WaitUntil(std::max(deadline, base::Now() + kDrainTime));
  if (in_time) {
    queue.Close();
  } else {
    queue.Abandon();
  }
  return in_time;
}

std::shared_ptr<const internal::RankFacts> FactsOutsideCalls(const ProcessOptions& options) {
  return std::make_shared<const internal::RankFacts>(
      internal::RankFacts{.mesh = options.session_mesh, .seed = options.seed});
}

}  // namespace

// ---- its parts
Process::Process(ProcessOptions options, Surroundings surroundings, std::unique_ptr<rpc::Transport> transport)
    : surroundings_(std::move(surroundings)), transport_(std::move(transport)) {
  const std::string name = options.group.empty() ? "program" : absl::StrCat(options.group, ".", options.rank);
  base::Executor& executor = *surroundings_.executor;
  service_ = surroundings_.share_service ? executor.NewSharedQueue(name) : executor.NewQueue(name);
  collector_ = executor.NewQueue(absl::StrCat(name, ".collect"));
  if (surroundings_.notifier) notifier_ = executor.NewQueue(absl::StrCat(name, ".notify"));
  services_.options = std::move(options);
  services_.executor = &executor;
  services_.service = service_.get();
  services_.collector = collector_.get();
  services_.binder = this;
  services_.directory = surroundings_.directory.get();
  services_.placement = surroundings_.placement.get();
  services_.transport = transport_.get();
  services_.traffic = surroundings_.traffic;
  services_.failures = std::make_shared<object::FailureLog>(surroundings_.notifier, notifier_.get());
}

bool Process::HasThreads() const {
  return service_ != nullptr && collector_ != nullptr && (notifier_ != nullptr || !surroundings_.notifier);
}

Process::Parts::Parts(const Services* services, std::shared_ptr<const internal::RankFacts> facts)
    : objects(services, &lost),
      store(services, &objects),
      collective_wire(services),
      collectives(&collective_wire,
                  [this](const collective::Packet& packet) {
                    using State = collective::Collectives::CallState;
                    return host->IsOver(packet) ? State::kOver : State::kOpen;
                  }),
      host(std::make_shared<Host>(services, &objects, &lost, &collectives)),
      caller(std::make_shared<Caller>(services, host.get())),
      accounts(services, &caller->pending()),
      lost_makers(services),
      keeper(services, &objects),
      maker(services, caller.get()),
      group_calls(services, {&maker, &keeper, caller, host.get(), &constructions}),
      local_calls(services, &maker, facts),
      communicators(services, host.get(), &collectives),
      api(services, {&maker, &group_calls, &local_calls, &keeper, &communicators}, std::move(facts)),
      router({caller.get(), host.get(), &objects, &accounts, &constructions, &collectives}) {}

// ---- start
std::shared_ptr<Process> Process::Start(ProcessOptions options, Surroundings surroundings) {
  std::unique_ptr<rpc::Transport> transport = std::move(surroundings.transport);
  std::shared_ptr<Process> process(new Process(std::move(options), std::move(surroundings), std::move(transport)));
  if (!process->HasThreads()) return nullptr;
  process->parts_ = std::make_unique<Parts>(&process->services_, FactsOutsideCalls(process->options()));
  process->transport_->Start(process.get(), process->service_.get());  // last: frames may come at once
  return process;
}

// ---- while it runs
void Process::OnFrame(rpc::ProcessId from, rpc::Stream, rpc::Frame frame) {
  Message message;
  const absl::Status decoded = DecodeMessage(frame, &message);
  if (decoded.ok()) return parts_->router.Route(from, message);
  // A message that cannot be read is told to both sides: somebody waits for what it would have said.
  base::Log(base::LogLevel::kError,
            absl::StrCat("process ", from,
                         " has sent what is no message: the connection to it is given up: ", decoded.message()));
  transport_->Lose(from, absl::UnavailableError(absl::StrCat("it has sent what is no message: ", decoded.message())));
}

void Process::OnLost(rpc::ProcessId peer, const absl::Status& why) {
  if (services_.life.stopped()) return;  // what is under way ends with this process's own end: the peer is as it was
  const bool ending = services_.life.ending();
  const absl::Status failed = ending ? absl::OkStatus() : why;
  parts_->lost.Add(peer, failed);
  parts_->constructions.OnGone({&peer, 1});
  parts_->caller->OnLost(peer, why);
  parts_->collectives.OnLost(peer, failed);  // before the host tells those who wait there less
  parts_->host->OnLost(peer, failed);
  parts_->objects.OnLost(peer, why);
  parts_->accounts.OnLost(peer);
  if (services_.options.group.empty() && !ending) parts_->lost_makers.Add(peer);
}

bool Process::WaitForCalls(base::Instant deadline) const {
  if (!WaitAllSettled(deadline)) return false;
  const std::shared_ptr<base::Event> kept = WhenKept();
  return kept == nullptr || kept->WaitUntil(deadline);
}

size_t Process::remembered() const {
  return parts_->caller->remembered() + parts_->host->remembered() + parts_->lost.size() + parts_->constructions.size();
}

// ---- stop
Process::~Process() {
  if (parts_ != nullptr) Shutdown(absl::CancelledError("the process has ended"), base::kLongAgo);
}

bool Process::Shutdown(const absl::Status& why, base::Instant deadline) {
  Stop(why);
  return Join(deadline);
}

void Process::Stop(const absl::Status& why) {
  if (!services_.life.Reach(Life::Stage::kStopped)) return;
  why_stopped_ = why;
  transport_->Close();
  service_->Close();  // from here on the confined state is this thread's
  parts_->caller->FailAll(why);
  parts_->objects.FailAll(why);
  parts_->host->Stop(why);
}

bool Process::Join(base::Instant deadline) {
  if (!services_.life.Reach(Life::Stage::kJoined)) return true;
  parts_->constructions.Clear();
  bool ended = parts_->host->Shutdown(deadline);
  parts_->local_calls.EndAll(why_stopped_, deadline);
  if (!CloseDrained(*collector_, deadline)) ended = false;
  parts_->objects.DropAll();  // handles may keep this process for long
  if (notifier_ != nullptr && !CloseDrained(*notifier_, deadline)) ended = false;
  return ended;
}

}  // namespace twinkle::actor
