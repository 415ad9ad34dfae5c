#include "runtime/collective/pair_task.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>

#include "runtime/base/memory.h"
#include "runtime/base/status.h"

namespace twinkle::collective {
namespace {

constexpr size_t kCopied = 64 << 10;  // what is longer stays where it came to, shared

bool IsAligned(const Bytes& bytes) { return reinterpret_cast<uintptr_t>(bytes.view().data()) % 16 == 0; }

}  // namespace

absl::Status PairTask::Advance(bool* further) {
  *further = false;
  const bool sends = record_.operation == Operation::kSend;
  if (state() == State::kIssued) {
    Reach(State::kGathering);
    *further = true;
    if (!sends) {
      Packet ready;
      ready.kind = PacketKind::kReady;
      ready.sequence = sequence_;
      ready.records.push_back(record_);
      send_(record_.root, std::move(ready));
    }
  }
  if (done()) return absl::OkStatus();
  auto said = sends ? mail_.ready.extract(sequence_) : mail_.given.extract(sequence_);
  if (said.empty()) return absl::OkStatus();
  *further = true;
  return sends ? Give(said.mapped()) : Take(said.mapped());
}

absl::Status PairTask::Give(const Packet& ready) {
  TWINKLE_RETURN_IF_ERROR(ComparePair(record_, ready.records.front()));
  Packet packet;
  packet.kind = PacketKind::kGive;
  packet.sequence = sequence_;
  packet.records.push_back(record_);
  packet.payloads.emplace_back(input_.owner(), std::string_view(reinterpret_cast<const char*>(input_.raw()),
                                                                static_cast<size_t>(record_.bytes())));
  send_(record_.root, std::move(packet));
  result_ = std::move(input_);
  Reach(State::kDone);
  return absl::OkStatus();
}

absl::Status PairTask::Take(const Packet& given) {
  TWINKLE_RETURN_IF_ERROR(ComparePair(given.records.front(), record_));
  const Bytes& bytes = given.payloads.front();
  if (bytes.size() != static_cast<size_t>(record_.bytes())) {
    return absl::InternalError("a rank sends other than it says");
  }
  std::shared_ptr<const void> owner = bytes.owner();
  const auto* data = reinterpret_cast<const std::byte*>(bytes.view().data());
  const bool shared = bytes.size() > kCopied && IsAligned(bytes);
  if (!shared) {
    const std::shared_ptr<std::byte> copy = base::NewMemory(std::max<size_t>(bytes.size(), 1), false);
    if (copy == nullptr) {
      return absl::ResourceExhaustedError(absl::StrCat("there is no memory for the result of ", TextOf(record_)));
    }
    if (!bytes.empty()) std::memcpy(copy.get(), data, bytes.size());
    data = copy.get();
    owner = copy;
  }
  TWINKLE_ASSIGN_OR_RETURN(result_, Tensor::FromBuffer(record_.dtype, input_.shape(), std::move(owner), data, shared));
  input_ = Tensor();
  Reach(State::kDone);
  return absl::OkStatus();
}

}  // namespace twinkle::collective
