#include "runtime/collective/meeting.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "runtime/base/status.h"

namespace twinkle::collective {
namespace {

constexpr absl::Duration kAskAgain = absl::Milliseconds(200);

absl::Status StatusIn(const Packet& packet) { return {static_cast<absl::StatusCode>(packet.code), packet.message}; }

void PutStatus(const absl::Status& status, Packet* packet) {
  packet->code = static_cast<int32_t>(status.code());
  packet->message = std::string(status.message());
}

}  // namespace

// The calling thread is the worker as long as it exists.
class Meeting::Inside {
 public:
  explicit Inside(Meeting* meeting) : meeting_(*meeting), first_(!meeting->inside_.exchange(true)) {}
  ~Inside() {
    if (first_) meeting_.inside_ = false;
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

  absl::Status Check() const {
    if (first_) return absl::OkStatus();
    return absl::FailedPreconditionError("another thread is using the communicator: one at a time may");
  }

 private:
  Meeting& meeting_;
  const bool first_;
};

Meeting::Meeting(MeetingKey key, RunningMethod method, Members members, Wire* wire, const Options& options)
    : key_(std::move(key)),
      method_(std::move(method)),
      members_(std::move(members)),
      tree_(PlaceInTree(members_.machines, members_.self)),
      wire_(*wire),
      options_(options),
      send_([this](int rank, Packet packet) { Send(rank, std::move(packet)); }) {}

std::string Meeting::NameOf(int rank) const {
  const auto index = static_cast<size_t>(rank);
  return absl::StrCat("rank ", members_.ranks[index], " (", wire_.PlaceOf(members_.processes[index]), ")");
}

int Meeting::RankOf(rpc::ProcessId process) const {
  const auto found = std::find(members_.processes.begin(), members_.processes.end(), process);
  return found == members_.processes.end() ? -1 : static_cast<int>(found - members_.processes.begin());
}

bool Meeting::has(rpc::ProcessId process) const { return RankOf(process) >= 0; }

void Meeting::Send(int rank, Packet packet) const {
  packet.key = key_;
  packet.caller = method_.caller;
  packet.call = method_.call;
  wire_.Send(members_.processes[static_cast<size_t>(rank)], std::move(packet));
}

// ---- its end
absl::Status Meeting::failure() const {
  base::MutexLock lock(&mutex_);
  return failure_;
}

void Meeting::Fail(const absl::Status& why, bool tell) {
  {
    base::MutexLock lock(&mutex_);
    if (!failure_.ok()) return;
    failure_ = why;
    if (sleeper_ != nullptr) sleeper_->Set();
  }
  if (!tell) return;
  Packet packet;
  packet.kind = PacketKind::kAbort;
  // What is a mistake of the program is one on all ranks; for the others the rest is the end of their call.
  const bool mistake = absl::IsFailedPrecondition(why);
  PutStatus(mistake || absl::IsAborted(why)
                ? why
                : absl::AbortedError(absl::StrCat(NameOf(members_.self), ": ", base::Brief(why))),
            &packet);
  for (int rank = 0; rank < members_.size(); ++rank) {
    if (rank != members_.self) Send(rank, packet);
  }
}

void Meeting::OnLost(rpc::ProcessId process, const absl::Status& why) {
  const int rank = RankOf(process);
  if (rank < 0) return;
  Fail(absl::AbortedError(absl::StrCat(NameOf(rank), " has ended: ", why.ok() ? "it has left" : base::Brief(why))),
       false);
}

Packet Meeting::LeftPacket(const absl::Status& outcome) const {
  Packet left;
  left.kind = PacketKind::kLeft;
  PutStatus(outcome, &left);
  return left;
}

void Meeting::AnswerQuestions(const absl::Status& outcome) {
  std::vector<int> asking;
  {
    base::MutexLock lock(&mutex_);
    asking.swap(asking_);
  }
  for (int rank : asking) Send(rank, LeftPacket(outcome));
}

void Meeting::OnOver(const absl::Status& outcome) {
  bool unfinished = false;
  if (!inside_.exchange(true)) {
    unfinished = !groups_.empty() || !pairs_.empty();
    inside_ = false;
  } else {
    unfinished = true;
  }
  if (!outcome.ok() && unfinished) {
    Fail(absl::AbortedError(absl::StrCat(NameOf(members_.self), " has failed: ", base::Brief(outcome))), true);
  } else if (unfinished) {
    Fail(absl::FailedPreconditionError(
             absl::StrCat(NameOf(members_.self), " has left the method before what it had issued had ended")),
         true);
  } else {
    Fail(absl::FailedPreconditionError("the method in which the communicator was used has ended"), false);
  }
  AnswerQuestions(outcome);
}

// ---- what arrives
void Meeting::OnPacket(int from, Packet packet) {
  if (packet.kind == PacketKind::kAbort) return Fail(StatusIn(packet), false);
  base::MutexLock lock(&mutex_);
  if (packet.kind == PacketKind::kWaiting && std::find(asking_.begin(), asking_.end(), from) == asking_.end()) {
    asking_.push_back(from);
  }
  inbox_.push_back({from, std::move(packet)});
  if (sleeper_ != nullptr) sleeper_->Set();
}

void Meeting::TakeMail() {
  std::vector<Arrived> mail;
  {
    base::MutexLock lock(&mutex_);
    mail.swap(inbox_);
  }
  for (Arrived& arrived : mail) Sort(std::move(arrived));
}

void Meeting::Sort(Arrived arrived) {
  const int from = arrived.from;
  Packet& packet = arrived.packet;
  switch (packet.kind) {
    case PacketKind::kUp:
      if (std::find(tree_.children.begin(), tree_.children.end(), from) == tree_.children.end()) break;
      group_mail_[packet.sequence].ups[from] = std::move(packet);
      break;
    case PacketKind::kDown:
      if (from != tree_.parent) break;
      group_mail_[packet.sequence].down = std::move(packet);
      break;
    case PacketKind::kMove:
      group_mail_[packet.sequence].moved[from].push_back(std::move(packet.payloads.front()));
      break;
    case PacketKind::kReady:
      pair_mail_[from].ready[packet.sequence] = std::move(packet);
      break;
    case PacketKind::kGive:
      pair_mail_[from].given[packet.sequence] = std::move(packet);
      break;
    case PacketKind::kWaiting:
      questions_[from] = std::move(packet);
      break;
    case PacketKind::kLeft:
      left_[from] = std::move(packet);
      break;
    case PacketKind::kAbort:
      break;
  }
}

// ---- the worker
absl::StatusOr<std::shared_ptr<Task>> Meeting::Issue(Record record, Tensor input) {
  const Inside inside(this);
  TWINKLE_RETURN_IF_ERROR(inside.Check());
  TWINKLE_RETURN_IF_ERROR(failure());
  record.rank = members_.self;
  std::shared_ptr<Task> task;
  if (IsPair(record.operation)) {
    const int peer = record.root;
    Counts& counts = pairs_issued_[peer];
    uint64_t& issued = record.operation == Operation::kSend ? counts.sends : counts.recvs;
    task = std::make_shared<PairTask>(std::move(record), issued++, std::move(input), &pair_mail_[peer], &send_);
    pairs_.push_back(task);
  } else {
    const uint64_t sequence = groups_issued_++;
    task = std::make_shared<GroupTask>(std::move(record), sequence, std::move(input), &members_, &tree_,
                                       &group_mail_[sequence], &send_, options_.group);
    groups_.push_back(task);
  }
  TWINKLE_RETURN_IF_ERROR(AdvanceInside());
  return task;
}

absl::Status Meeting::Advance() {
  const Inside inside(this);
  TWINKLE_RETURN_IF_ERROR(inside.Check());
  return AdvanceInside();
}

absl::Status Meeting::AdvanceInside() {
  TakeMail();
  while (failure().ok() && AdvanceTasks()) TakeMail();
  return failure();
}

bool Meeting::AdvanceTasks() {
  bool any = false;
  const auto advance = [&](Task& task) {
    bool further = false;
    if (const absl::Status status = task.Advance(&further); !status.ok()) Fail(status, true);
    any = any || further;
    return task.done();
  };
  while (!groups_.empty()) {
    if (!advance(*groups_.front())) break;
    group_mail_.erase(groups_.front()->sequence());
    groups_.pop_front();
  }
  std::erase_if(pairs_, [&](const std::shared_ptr<Task>& task) { return advance(*task); });
  return any;
}

absl::Status Meeting::Wait(const std::shared_ptr<Task>& task) {
  const Inside inside(this);
  TWINKLE_RETURN_IF_ERROR(inside.Check());
  absl::Duration patience = options_.ask_after;
  while (true) {
    if (task->done()) return absl::OkStatus();
    TWINKLE_RETURN_IF_ERROR(AdvanceInside());
    if (task->done()) return absl::OkStatus();
    LookForEnd(task);
    const auto event = std::make_shared<base::Event>();
    {
      base::MutexLock lock(&mutex_);
      if (!inbox_.empty() || !failure_.ok()) continue;
      sleeper_ = event;
    }
    const base::Instant until = base::Now() + patience;
    const bool woken =
        method_.cancellation == nullptr ? event->WaitUntil(until) : method_.cancellation->WaitUntil(*event, until);
    {
      base::MutexLock lock(&mutex_);
      sleeper_ = nullptr;
    }
    if (method_.cancellation != nullptr && method_.cancellation->IsCancelled()) {
      Fail(absl::AbortedError(absl::StrCat(TextOf(task->record()), " was given up, because the call has ended: ",
                                           base::Brief(method_.cancellation->why()))),
           true);
    } else if (!woken) {
      Ask(task);
      patience = kAskAgain;
    }
  }
}

// ---- what never comes
absl::Status Meeting::Look(const std::shared_ptr<Task>& task) {
  const Inside inside(this);
  TWINKLE_RETURN_IF_ERROR(inside.Check());
  LookForEnd(task);
  return failure();
}

Counts Meeting::CountsFor(int peer) const {
  const auto pair = pairs_issued_.find(peer);
  Counts counts = pair == pairs_issued_.end() ? Counts{} : pair->second;
  counts.groups = groups_issued_;
  return counts;
}

std::shared_ptr<Task> Meeting::Blocking(const std::shared_ptr<Task>& waited) const {
  return IsPair(waited->record().operation) || groups_.empty() ? waited : groups_.front();
}

void Meeting::Ask(const std::shared_ptr<Task>& waited) {
  const std::shared_ptr<Task> task = Blocking(waited);
  if (task->done()) return;
  Packet question;
  question.kind = PacketKind::kWaiting;
  question.sequence = task->sequence();
  question.records.push_back(task->record());
  for (int rank : task->WaitsFor()) {
    question.counts = CountsFor(rank);
    Send(rank, question);
  }
}

void Meeting::LookForEnd(const std::shared_ptr<Task>& waited) {
  const std::shared_ptr<Task> task = Blocking(waited);
  if (task->done()) return;
  for (int rank : task->WaitsFor()) {
    if (const auto left = left_.find(rank); left != left_.end()) {
      const absl::Status outcome = StatusIn(left->second);
      Fail(outcome.ok()
               ? absl::FailedPreconditionError(absl::StrCat(
                     NameOf(rank), " has left the method without what its peers wait for: ", TextOf(task->record())))
               : absl::AbortedError(absl::StrCat(NameOf(rank), " has failed: ", outcome.message())),
           true);
      return;
    }
    const auto question = questions_.find(rank);
    if (question == questions_.end() || !task->IsLackedBy(question->second.counts)) continue;
    // It waits for this rank, in something else. If that is still to be issued here, neither gets any further.
    const Record& theirs = question->second.records.front();
    const uint64_t sequence = question->second.sequence;
    const Counts mine = CountsFor(rank);
    const bool never = theirs.operation == Operation::kSend   ? mine.recvs <= sequence
                       : theirs.operation == Operation::kRecv ? mine.sends <= sequence
                                                              : mine.groups <= sequence;
    if (never) {
      Fail(absl::FailedPreconditionError(
               absl::StrCat("two ranks wait for each other in different operations: ", NameOf(rank), " in ",
                            TextOf(theirs), ", ", NameOf(members_.self), " in ", TextOf(task->record()))),
           true);
      return;
    }
  }
}

}  // namespace twinkle::collective
