// Objects of another process, for tests of those who read them: pulls are answered when the test says so.
#pragma once

#include <absl/status/status.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/executor.h"
#include "runtime/codec/codec.h"
#include "runtime/object/object_store.h"

namespace twinkle::object {

// For one thread. `collector` outlives it.
class FakeStore final : public ObjectStore, public std::enable_shared_from_this<FakeStore> {
 public:
  static constexpr rpc::ProcessId kOwner = 7;
  struct Asked {
    ObjectRef object;
    std::optional<std::vector<codec::Range>> rows;
    std::vector<codec::Range> picks = {};
    std::vector<uint32_t> path = {};
  };

  explicit FakeStore(base::TaskQueue* collector) : collector_(collector) {}

  // A result that the other process keeps. `carried`: its bytes came along with the reply.
  Shard Keep(codec::Described value, bool carried = false) {
    const ObjectRef ref{kOwner, next_++};
    Shard shard{std::make_shared<HeldObject>(shared_from_this(), ref), codec::RowsOf(*value.type, value.value.get()), 0,
                std::nullopt};
    if (carried) shard.carried = *codec::Encode(value);
    values_[ref.id] = std::move(value);
    return shard;
  }
  template <class T>
  Shard KeepValue(T value, bool carried = false) {
    return Keep(codec::Hold(std::move(value)), carried);
  }
  // From now on reading fails.
  void Fail(const absl::Status& status) { failure_ = status; }

  // Answers all pulls that were asked for.
  void Answer() {
    for (auto& [asked, done] : std::exchange(waiting_, {})) done(Read(asked));
  }

  // ObjectStore.
  void Pull(const ObjectRef& object, const codec::Type&, Selection selection, PullDone done) override {
    asked.push_back({object, selection.rows, selection.picks, selection.path});
    waiting_.emplace_back(asked.back(), std::move(done));
  }
  void Retain(const ObjectRef&, absl::AnyInvocable<void(absl::Status)> done) override { done(absl::OkStatus()); }
  void Release(const ObjectRef& object) override { released.push_back(object.id); }
  base::TaskQueue& collector() override { return *collector_; }
  base::JobKey job() const override { return job_key; }

  base::JobKey job_key = 1;

  std::vector<Asked> asked;        // every pull there was
  std::vector<uint64_t> released;  // by id

 private:
  absl::StatusOr<Pulled> Read(const Asked& asked_for) {
    if (!failure_.ok()) return failure_;
    const absl::StatusOr<codec::Described> value =
        Select(values_.at(asked_for.object.id), {asked_for.path, std::nullopt, asked_for.picks});
    if (!value.ok()) return value.status();
    absl::StatusOr<codec::Encoded> encoded = codec::Encode(*value, asked_for.rows ? &*asked_for.rows : nullptr);
    if (!encoded.ok()) return encoded.status();
    return Pulled{nullptr, *std::move(encoded)};
  }

  base::TaskQueue* const collector_;
  uint64_t next_ = 1;
  absl::Status failure_;
  std::map<uint64_t, codec::Described> values_;
  std::vector<std::pair<Asked, PullDone>> waiting_;
};

}  // namespace twinkle::object
