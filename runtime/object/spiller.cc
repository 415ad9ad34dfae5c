#include "runtime/object/spiller.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/base/sure_answer.h"
#include "runtime/codec/guarded.h"

namespace twinkle::object {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);  // of a disk that took no more

absl::StatusOr<std::shared_ptr<const SpillFile>> WriteOut(const codec::Described& value, const std::string& folder) {
  TWINKLE_ASSIGN_OR_RETURN(const codec::Encoded encoded, codec::Guarded([&] { return codec::Encode(value); }));
  return SpillFile::Write(folder, encoded);
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

base::TaskQueue& Spiller::queue() {
  if (queue_ == nullptr) queue_ = executor_.NewQueue(name_);
  return *queue_;
}

void Spiller::OnInserted() {
  if (options_.cap_bytes == 0) return;
  const uint64_t used = table_.bytes_in_memory();
  if (used <= options_.cap_bytes / 5 * 4) {
    if (may_wait_ && !writing_) SetRoom(absl::OkStatus());
    return;
  }
  if (!writing_ && base::Now() - failed_at_ >= kRetryAfter) WriteNext();
  if (!writing_ || used <= options_.cap_bytes) return;
  base::MutexLock lock(&mutex_);
  full_ = absl::OkStatus();
  if (room_ == nullptr) room_ = std::make_shared<base::Event>();
  may_wait_ = true;
}

void Spiller::WriteNext() {
  auto next = table_.LeastRecentlyUsed();
  if (!next) return SetRoom(absl::OkStatus());  // all that is there is in use: waiting frees nothing
  writing_ = true;
  queue().Post([this, alive = std::weak_ptr(alive_), unused = *std::move(next)]() mutable {
    auto file = WriteOut(unused.value, options_.folder);
    unused.value = {};
    service_.Post([this, alive, id = unused.id, file = std::move(file)]() mutable {
      if (alive.lock() != nullptr) OnWritten(id, std::move(file));
    });
  });
}

void Spiller::OnWritten(uint64_t id, absl::StatusOr<std::shared_ptr<const SpillFile>> file) {
  writing_ = false;
  if (file.ok()) {
    table_.MoveToFile(id, *std::move(file));
    if (table_.bytes_in_memory() <= options_.cap_bytes) SetRoom(absl::OkStatus());
    return OnInserted();
  }
  failed_at_ = base::Now();
  const uint64_t used = table_.bytes_in_memory();
  const absl::Status full = absl::ResourceExhaustedError(
      absl::StrCat("the objects of this process take ", used, " bytes of memory, ", options_.cap_bytes,
                   " are allowed (object_memory_bytes), and they cannot go to disk: ", file.status().message(),
                   ": release results, or give it room"));
  base::Log(base::LogLevel::kWarning, std::string(full.message()));
  SetRoom(used > options_.cap_bytes ? full : absl::OkStatus());
}

void Spiller::SetRoom(absl::Status status) {
  std::shared_ptr<base::Event> room;
  {
    base::MutexLock lock(&mutex_);
    room = std::exchange(room_, nullptr);
    may_wait_ = !status.ok();
    full_ = std::move(status);
  }
  if (room != nullptr) room->Set();
}

absl::Status Spiller::AwaitRoom() {
  while (may_wait_) {
    std::shared_ptr<base::Event> room;
    absl::Status full;
    {
      base::MutexLock lock(&mutex_);
      if (!full_.ok() && table_.bytes_in_memory() <= options_.cap_bytes) {
        full_ = absl::OkStatus();
        may_wait_ = false;
      }
      full = full_;
      room = room_;
    }
    if (!full.ok()) {
      // The disk may take more by now. Outside the lock: the task may run at once.
      service_.Post([this, alive = std::weak_ptr(alive_)] {
        if (alive.lock() != nullptr) OnInserted();
      });
      return full;
    }
    if (room == nullptr) break;
    room->WaitUntil(base::kForever);
  }
  return absl::OkStatus();
}

void Spiller::Load(const codec::Type* type, std::shared_ptr<const SpillFile> file, LoadDone done) {
  queue().Post([this, alive = std::weak_ptr(alive_), type, file = std::move(file),
                sure = base::SureAnswer<codec::Described>(std::move(done))]() mutable {
    auto value = ReadBack(*type, *file);
    service_.Post([alive, value = std::move(value), sure = std::move(sure)]() mutable {
      if (alive.lock() != nullptr) sure.Take()(std::move(value));
    });
  });
}

void Spiller::Close() {
  SetRoom(absl::OkStatus());
  if (queue_ != nullptr) queue_->Close();
}

}  // namespace twinkle::object
