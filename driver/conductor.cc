#include "driver/conductor.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "driver/messages.h"
#include "runtime/base/names.h"
#include "runtime/base/status.h"

namespace twinkle::driver {
namespace {

constexpr absl::Duration kRetryInterval = absl::Seconds(1);
constexpr size_t kMostUnwritten = 10'000;

std::vector<Record> RecordsOf(const Effects& effects) {
  std::vector<Record> records;
  for (const auto& effect : effects) {
    if (const auto* record = std::get_if<Record>(&effect)) records.push_back(*record);
  }
  return records;
}

}  // namespace

Conductor::Conductor(ConductorOptions options, const base::Executor* executor, base::TaskQueue* queue,
                     std::unique_ptr<Journal> journal, const Restored& restored)
    : options_(std::move(options)),
      executor_(executor),
      queue_(queue),
      journal_(std::move(journal)),
      state_(options_.cluster, executor->Now(), restored) {}

void Conductor::Stop(const absl::Status& why) {
  for (const auto& [id, outlet] : nodes_) outlet.finish(why);
  for (const auto& [job, outlet] : programs_) outlet.finish(why);
  nodes_.clear();
  programs_.clear();
}

// ---- the journal
absl::Status Conductor::Write(const std::vector<Record>& records) {
  std::vector<Record> all(unwritten_.begin(), unwritten_.end());
  all.insert(all.end(), records.begin(), records.end());
  const absl::Status written = journal_->Append(all, options_.unix_ms());
  if (written.ok()) unwritten_.clear();
  if (written.ok() != failure_.ok()) {
    options_.say(written.ok() ? std::string("the journal takes records again: so are new jobs and nodes")
                              : absl::StrCat("no new jobs and nodes are taken: ", written.message()));
  }
  return failure_ = written;
}

absl::Status Conductor::Promise(const Record& record) {
  if (const absl::Status written = Write({record}); !written.ok()) {
    return base::Annotate(written, "the driver takes no new jobs, nodes and components, since it could not keep them");
  }
  Say(record);
  return absl::OkStatus();
}

void Conductor::Remember(const std::vector<Record>& records) {
  for (const Record& record : records) Say(record);
  if (records.empty() && unwritten_.empty()) return;
  if (Write(records).ok()) return;
  unwritten_.insert(unwritten_.end(), records.begin(), records.end());
  while (unwritten_.size() > kMostUnwritten) unwritten_.pop_front();
}

void Conductor::Say(const Record& record) const {
  using Kind = Record::Kind;
  if (record.kind == Kind::kComponentAdded || record.kind == Kind::kComponentRemoved) return;
  options_.say(base::PrintableLines(TextOf(record), "    "));
}

// ---- effects
void Conductor::Carry(Effects effects) {
  const std::vector<Record> records = RecordsOf(effects);
  Remember(records);
  Deliver(std::move(effects));
  EndLostNodes(records);
  SetAlarm();
}

void Conductor::Deliver(Effects effects) {
  for (auto& effect : effects) {
    if (auto* to_node = std::get_if<ToNode>(&effect)) {
      const auto node = nodes_.find(to_node->node);
      if (node != nodes_.end()) node->second.write(std::move(to_node->message));
    } else if (auto* to_program = std::get_if<ToProgram>(&effect)) {
      const auto program = programs_.find(to_program->job);
      if (program == programs_.end()) continue;
      const bool last = to_program->message.has_ended();
      program->second.write(std::move(to_program->message));
      if (!last) continue;
      program->second.finish(absl::OkStatus());
      programs_.erase(program);
    }
  }
}

// Tells a node that counts as gone why: it then ends its ranks and joins afresh.
void Conductor::EndLostNodes(const std::vector<Record>& records) {
  for (const Record& record : records) {
    const auto node = record.kind == Record::Kind::kNodeGone ? nodes_.find(record.id) : nodes_.end();
    if (node == nodes_.end()) continue;
    node->second.finish(absl::UnavailableError(absl::StrCat("this node counts as gone: ", record.detail)));
    nodes_.erase(node);
  }
}

void Conductor::SetAlarm() {
  base::Instant next = state_.NextTick().value_or(base::kForever);
  if (!unwritten_.empty()) next = std::min(next, executor_->Now() + kRetryInterval);
  if (next >= alarm_) return;
  alarm_ = next;
  queue_->PostAfter(std::max(absl::ZeroDuration(), next - executor_->Now()), [this, at = next] {
    if (alarm_ != at) return;  // an earlier alarm was posted meanwhile, and has set the next one
    alarm_ = base::kForever;
    Effects effects;
    state_.Tick(executor_->Now(), &effects);
    Carry(std::move(effects));
  });
}

// ---- nodes
absl::StatusOr<NodeId> Conductor::Join(const v1::NodeDescription& description, NodeOutlet outlet,
                                       base::Instant arrived) {
  TWINKLE_RETURN_IF_ERROR(state_.CheckJoin(description));
  TWINKLE_RETURN_IF_ERROR(Promise(state_.Joining(description)));
  Effects effects;
  const NodeId node = state_.NodeJoined(description, arrived, &effects);
  nodes_[node] = std::move(outlet);
  Carry(std::move(effects));
  return node;
}

void Conductor::OnNode(NodeId node, const v1::NodeToDriver& message, base::Instant arrived) {
  if (!state_.HasNode(node)) return;  // a lost node was told so
  Effects effects;
  state_.NodeAlive(node, arrived);
  if (message.has_alive()) {
    state_.NodeHasPorts(node, message.alive().free_ports());
  } else if (message.has_listens()) {
    state_.ProcessListens(node, message.listens(), &effects);
  } else if (message.has_exited()) {
    state_.ProcessExited(node, message.exited(), arrived, &effects);
  } else if (message.has_process_cleared()) {
    const v1::ProcessCleared& cleared = message.process_cleared();
    state_.ProcessCleared(node, cleared.job(), cleared.process(), arrived, &effects);
  } else if (message.has_cleared()) {
    state_.JobCleared(node, message.cleared().job(), arrived, &effects);
  } else if (message.has_program_gone()) {
    state_.ProgramNotFound(node, message.program_gone().job(), arrived, &effects);
  } else if (message.has_end_group()) {
    state_.EndGroup(message.end_group().job(), message.end_group(), &effects);
  }
  Carry(std::move(effects));
}

void Conductor::NodeEnded(NodeId node, base::Instant arrived) {
  nodes_.erase(node);
  Effects effects;
  state_.NodeDisconnected(node, arrived, &effects);
  Carry(std::move(effects));
}

// ---- programs
JobNumber Conductor::Submit(const v1::SubmitJob& submit, ProgramOutlet outlet, base::Instant arrived) {
  if (const absl::Status kept = Promise(state_.Submitting(submit)); !kept.ok()) {
    outlet.write(Ended(kept.code(), std::string(kept.message())));
    outlet.finish(absl::OkStatus());
    return 0;
  }
  Effects effects;
  const JobNumber job = state_.Submit(submit, options_.new_secret(), arrived, &effects);
  programs_[job] = std::move(outlet);
  Carry(std::move(effects));
  return job;
}

void Conductor::OnProgram(JobNumber job, const v1::ProgramToDriver& message, base::Instant arrived) {
  Effects effects;
  if (message.has_listens()) {
    state_.ProgramListens(job, message.listens(), &effects);
  } else if (message.has_end_group()) {
    state_.EndGroup(job, message.end_group(), &effects);
  } else if (message.has_finish()) {
    state_.Finish(job, absl::Milliseconds(message.finish().grace_ms()), arrived, &effects);
  }
  Carry(std::move(effects));
}

void Conductor::ProgramEnded(JobNumber job, base::Instant arrived) {
  programs_.erase(job);
  Effects effects;
  state_.ProgramGone(job, arrived, &effects);
  Carry(std::move(effects));
}

absl::Status Conductor::StopJob(JobNumber job, base::Instant arrived) {
  Effects effects;
  absl::Status stopped = state_.Stop(job, "it was stopped by a command", arrived, &effects);
  Carry(std::move(effects));
  return stopped;
}

// ---- names
// Adding has one effect, the record of the new number. If that cannot be written the component is removed again.
absl::StatusOr<v1::AddComponentReply> Conductor::AddComponent(JobNumber job, const v1::Component& component) {
  Effects effects;
  TWINKLE_ASSIGN_OR_RETURN(v1::AddComponentReply reply, state_.AddComponent(job, component, &effects));
  for (const Record& record : RecordsOf(effects)) {
    const absl::Status kept = Promise(record);
    if (kept.ok()) continue;
    Effects none;
    state_.RemoveComponent(job, record.id, &none).IgnoreError();
    return kept;
  }
  return reply;
}

absl::Status Conductor::RemoveComponent(JobNumber job, uint64_t component) {
  Effects effects;
  absl::Status removed = state_.RemoveComponent(job, component, &effects);
  Carry(std::move(effects));
  return removed;
}

v1::ClusterStatus Conductor::Status(base::Instant now) const {
  v1::ClusterStatus status = state_.Status(now);
  if (!failure_.ok()) status.set_journal_failure(std::string(failure_.message()));
  return status;
}

}  // namespace twinkle::driver
