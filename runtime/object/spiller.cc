#include "runtime/object/spiller.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/sure_answer.h"
#include "runtime/codec/guarded.h"

namespace twinkle::object {
namespace {

absl::StatusOr<std::shared_ptr<const SpillFile>> WriteOut(const codec::Described& value, const SpillOptions& options) {
  TWINKLE_ASSIGN_OR_RETURN(const codec::Encoded encoded, codec::Guarded([&] { return codec::Encode(value); }));
  return SpillFile::Write(options.folder, encoded, options.mapped);
}

absl::StatusOr<codec::Described> ReadBack(const codec::Type& type, const SpillFile& file) {
  return codec::Guarded([&]() -> absl::StatusOr<codec::Described> {
    const codec::Encoded encoded = file.Read();
    const std::shared_ptr<void> value = type.make();
    TWINKLE_RETURN_IF_ERROR(codec::Decode(type, value.get(), encoded.head, encoded.buffers));
    return codec::Described{&type, value};
  });
}

}  // namespace

Spiller::Spiller(SpillOptions options, ObjectTable* table, base::TaskQueue* service, base::Executor* executor,
                 std::string name)
    : options_(std::move(options)), table_(*table), service_(*service), executor_(*executor), name_(std::move(name)) {}

base::TaskQueue* Spiller::queue() {
  if (queue_ == nullptr) queue_ = executor_.NewQueue(name_);
  return queue_.get();
}

// ---- room
bool Spiller::HasRoom(uint64_t bytes) const {
  const uint64_t used = table_.bytes_counted() + *reserved_;
  return used <= options_.cap_bytes && bytes <= options_.cap_bytes - used;
}

std::shared_ptr<const void> Spiller::TryReserve(uint64_t bytes) {
  *reserved_ += bytes;
  if (HasRoom(0)) {
    return {reserved_.get(), [reserved = reserved_, bytes](const void*) { *reserved -= bytes; }};
  }
  *reserved_ -= bytes;
  return nullptr;
}

absl::Status Spiller::AwaitRoom(uint64_t known) {
  if (options_.cap_bytes == 0 || HasRoom(0)) return absl::OkStatus();
  if (known < refusals_) {
    base::MutexLock lock(&mutex_);
    if (table_.bytes_counted() >= refused_.bytes) {
      return absl::Status(refused_.status.code(), refused_.status.message());
    }
  }
  return Await(std::make_shared<Waiter>());
}

absl::StatusOr<Admission> Spiller::Admit(const codec::Described& value, uint64_t bytes) {
  if (options_.cap_bytes == 0) return Admission{};
  if (std::shared_ptr<const void> room = TryReserve(bytes)) return Admission{std::move(room), nullptr};
  const auto waiter = std::make_shared<Waiter>();
  waiter->bytes = bytes;
  waiter->value = value;
  TWINKLE_RETURN_IF_ERROR(Await(waiter));
  return std::move(waiter->admission);
}

absl::Status Spiller::Await(const WaiterPtr& waiter) {
  {
    base::MutexLock lock(&mutex_);
    if (closed_) return absl::OkStatus();
    waiters_.push_back(waiter);
    anyone_waits_ = true;
  }
  // Outside the lock: the task may run at once.
  service_.Post([this, alive = std::weak_ptr(alive_)] {
    if (alive.lock() != nullptr) Review();
  });
  waiter->answered.WaitUntil(base::kForever);
  return std::move(waiter->status);
}

std::vector<Spiller::WaiterPtr> Spiller::Waiting() {
  if (!anyone_waits_) return {};
  base::MutexLock lock(&mutex_);
  return waiters_;
}

bool Spiller::StillWaits(const WaiterPtr& waiter) {
  const std::vector<WaiterPtr> waiting = Waiting();
  return std::find(waiting.begin(), waiting.end(), waiter) != waiting.end();
}

// The first of two answers counts.
void Spiller::Answer(const WaiterPtr& waiter, absl::Status status) {
  {
    base::MutexLock lock(&mutex_);
    if (std::erase(waiters_, waiter) == 0) return;
    anyone_waits_ = !waiters_.empty();
    waiter->status = std::move(status);
    waiter->value = {};
  }
  waiter->answered.Set();
}

void Spiller::GiveRoom() {
  for (const WaiterPtr& waiter : Waiting()) {
    if (waiter->value.type == nullptr) {
      if (HasRoom(0)) Answer(waiter, absl::OkStatus());
    } else if ((waiter->admission.room = TryReserve(waiter->bytes)) != nullptr) {
      Answer(waiter, absl::OkStatus());
    }
  }
}

void Spiller::OnChanged() {
  if (options_.cap_bytes == 0) return;
  NoteRelease();
  const bool is_much = !HasRoom(options_.cap_bytes / 5);
  if (!is_much) told_full_ = false;
  if (anyone_waits_ || is_much) Review();
}

// Once there was less than at the last refusal nobody is refused for it any more, however much there is later. Who
// waits asks the disk again once there is less on it.
void Spiller::NoteRelease() {
  const uint64_t before = std::exchange(on_disk_, table_.bytes_on_disk());
  const bool disk_has_room = on_disk_ < before;
  if (disk_has_room) failed_at_ = base::kLongAgo;
  if (refusals_ == 0) return;
  base::MutexLock lock(&mutex_);
  if (disk_has_room || table_.bytes_counted() < refused_.bytes) refused_ = {};
}

// Whether the disk is asked now, and by whom.
bool Spiller::MayWrite() {
  bool may = executor_.Now() - failed_at_ >= options_.retry_after;
  const std::vector<WaiterPtr> waiting = Waiting();
  for (const WaiterPtr& waiter : waiting) may = may || !waiter->tried;
  for (const WaiterPtr& waiter : waiting) waiter->tried = waiter->tried || may;
  return may;
}

// What there is to do now: somebody waits, or much is in memory.
void Spiller::Review() {
  GiveRoom();
  if (!writing_ && MayWrite()) WriteNext();
  if (writing_) return;  // then this is looked at again
  for (const WaiterPtr& waiter : Waiting()) {
    if (std::exchange(waiter->limited, true)) continue;
    service_.PostAfter(options_.release_grace, [this, alive = std::weak_ptr(alive_), waiter] {
      if (alive.lock() != nullptr) Refuse(waiter);
    });
  }
}

void Spiller::Refuse(const WaiterPtr& waiter) {
  GiveRoom();
  waiter->limited = false;
  if (writing_ || !StillWaits(waiter)) return;
  absl::Status full = Full(waiter->bytes);
  if (waiter->value.type == nullptr) {
    base::MutexLock lock(&mutex_);
    refused_ = {absl::Status(full.code(), full.message()), table_.bytes_counted()};
    ++refusals_;
  }
  const bool told = !failure_.ok() || std::exchange(told_full_, true);  // with the disk's failure, or before
  if (!told) base::Log(base::LogLevel::kWarning, full.message());
  Answer(waiter, std::move(full));
}

absl::Status Spiller::Full(uint64_t bytes) const {
  const std::string why = failure_.ok() ? "what is left of them is in use or small"
                                        : absl::StrCat("they cannot go to disk: ", failure_.message());
  return absl::ResourceExhaustedError(absl::StrCat(
      "the objects of this process take ", table_.bytes_counted() + *reserved_ + bytes, " bytes of memory, ",
      options_.cap_bytes, " are allowed (object_memory_bytes), and ", why, ": release results, or give it room"));
}

// ---- writing
void Spiller::WriteNext() {
  for (const WaiterPtr& waiter : Waiting()) {
    if (waiter->value.type == nullptr || waiter->bytes <= options_.cap_bytes) continue;
    return Write(waiter->value, [this, waiter](absl::StatusOr<std::shared_ptr<const SpillFile>> file) {
      if (!file.ok()) return;
      waiter->admission.file = *std::move(file);
      Answer(waiter, absl::OkStatus());
    });
  }
  if (HasRoom(options_.cap_bytes / 5) && !anyone_waits_) return;
  auto next = table_.LeastRecentlyUsed();
  failure_ = absl::OkStatus();
  if (!next) return;
  Write(std::move(next->value), [this, id = next->id](absl::StatusOr<std::shared_ptr<const SpillFile>> file) {
    if (file.ok()) table_.MoveToFile(id, *std::move(file));
  });
}

void Spiller::Write(codec::Described value,
                    absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<const SpillFile>>)> done) {
  auto written = [this, alive = std::weak_ptr(alive_),
                  done = std::move(done)](absl::StatusOr<std::shared_ptr<const SpillFile>> file) mutable {
    if (alive.lock() == nullptr) return;
    writing_ = false;
    failure_ = file.status();
    if (!file.ok()) {
      failed_at_ = executor_.Now();
      if (failed_at_ - told_failure_at_ >= options_.retry_after) {
        told_failure_at_ = failed_at_;
        base::Log(base::LogLevel::kWarning, Full(0).message());
      }
    }
    done(std::move(file));
    Review();
  };
  writing_ = true;
  base::TaskQueue* const thread = queue();
  if (thread == nullptr) return written(base::NoThread());
  thread->Post([this, value = std::move(value), written = std::move(written)]() mutable {
    auto file = WriteOut(value, options_);
    value = {};
    service_.Post([written = std::move(written), file = std::move(file)]() mutable { written(std::move(file)); });
  });
}

// ---- reading
void Spiller::Load(const codec::Type* type, std::shared_ptr<const SpillFile> file, LoadDone done) {
  base::TaskQueue* const thread = queue();
  if (thread == nullptr) return done(base::NoThread());
  thread->Post([this, alive = std::weak_ptr(alive_), type, file = std::move(file),
                sure = base::SureAnswer<codec::Described>(std::move(done))]() mutable {
    auto value = ReadBack(*type, *file);
    service_.Post([alive, value = std::move(value), sure = std::move(sure)]() mutable {
      if (alive.lock() != nullptr) sure.Take()(std::move(value));
    });
  });
}

void Spiller::Close() {
  {
    base::MutexLock lock(&mutex_);
    closed_ = true;
  }
  for (const WaiterPtr& waiter : Waiting()) Answer(waiter, absl::OkStatus());
  if (queue_ != nullptr) queue_->Close();
}

}  // namespace twinkle::object
