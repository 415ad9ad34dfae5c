// Record: what a rank issued, as the others compare it with what they issued.
#pragma once

#include <absl/status/status.h>
#include <twinkle/communicator.h>
#include <twinkle/dtype.h>

#include <cstdint>
#include <string>
#include <vector>

namespace twinkle::collective {

enum class Operation : uint8_t {
  kAllReduce,
  kReduce,
  kBroadcast,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kBarrier,
  kSend,
  kRecv,
};
inline constexpr int kOperations = 9;

constexpr bool Reduces(Operation operation) {
  return operation == Operation::kAllReduce || operation == Operation::kReduce ||
         operation == Operation::kReduceScatter;
}
constexpr bool IsPair(Operation operation) { return operation == Operation::kSend || operation == Operation::kRecv; }
// Whether a rank has a part of it that the others have not: the root, or the peer.
constexpr bool HasRoot(Operation operation) {
  return operation == Operation::kReduce || operation == Operation::kBroadcast || IsPair(operation);
}

// Whether rows stay whole; the others see nothing but elements.
constexpr bool GoesByRows(Operation operation) {
  return operation == Operation::kAllGather || operation == Operation::kReduceScatter ||
         operation == Operation::kAllToAll;
}

// Sent as it is. Sizes are the issuing rank's tensor's.
struct Record {
  Operation operation = Operation::kBarrier;
  ReduceOp reduce = ReduceOp::kSum;
  DType dtype = DType::kFloat32;
  int32_t rank = 0;       // who issued it, among the communicator's
  int32_t root = 0;       // or the peer
  int64_t rows = 1;       // of a scalar 1
  int64_t row_size = 0;   // elements
  std::string file = {};  // base name
  int32_t line = 0;

  int64_t count() const { return rows * row_size; }
  int64_t bytes() const { return count() * SizeOf(dtype); }
};

// "AllReduce(sum, float32, 4096 bytes) at train.cc:12"
std::string TextOf(const Record& record);

// OK when the ranks issued the same operation on what fits together; else FailedPrecondition, which names two that do
// not. REQUIRES: not empty; in the order of ranks.
absl::Status Compare(const std::vector<Record>& records);
// The same for a Send and the Recv that it meets.
absl::Status ComparePair(const Record& send, const Record& recv);

// Whether what a peer says of itself makes sense: enumerators and sizes in range.
bool IsSane(const Record& record);

}  // namespace twinkle::collective
