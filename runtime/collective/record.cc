#include "runtime/collective/record.h"

#include <absl/strings/str_cat.h>

namespace twinkle::collective {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 52;

const char* NameOf(Operation operation) {
  switch (operation) {
    case Operation::kAllReduce:
      return "AllReduce";
    case Operation::kReduce:
      return "Reduce";
    case Operation::kBroadcast:
      return "Broadcast";
    case Operation::kAllGather:
      return "AllGather";
    case Operation::kReduceScatter:
      return "ReduceScatter";
    case Operation::kAllToAll:
      return "AllToAll";
    case Operation::kBarrier:
      return "Barrier";
    case Operation::kSend:
      return "Send";
    case Operation::kRecv:
      return "Recv";
  }
  return "";
}

const char* NameOf(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return "sum";
    case ReduceOp::kMean:
      return "mean";
    case ReduceOp::kMin:
      return "min";
    case ReduceOp::kMax:
      return "max";
    case ReduceOp::kProduct:
      return "product";
  }
  return "";
}

bool FitTogether(const Record& a, const Record& b) {
  if (a.operation != b.operation) return false;
  if (a.operation == Operation::kBarrier) return true;
  if (a.dtype != b.dtype) return false;
  if (Reduces(a.operation) && a.reduce != b.reduce) return false;
  if (HasRoot(a.operation) && a.root != b.root) return false;
  if (a.operation == Operation::kAllGather) return a.row_size == b.row_size || a.rows == 0 || b.rows == 0;
  if (a.operation == Operation::kReduceScatter || a.operation == Operation::kAllToAll) {
    return a.rows == b.rows && a.row_size == b.row_size;
  }
  return a.count() == b.count();
}

absl::Status Differ(const Record& a, const Record& b) {
  return absl::FailedPreconditionError(absl::StrCat("the ranks have issued different operations: rank ", a.rank, " ",
                                                    TextOf(a), ", rank ", b.rank, " ", TextOf(b)));
}

}  // namespace

std::string TextOf(const Record& record) {
  std::string text = absl::StrCat(NameOf(record.operation), "(");
  if (record.operation != Operation::kBarrier) {
    if (Reduces(record.operation)) absl::StrAppend(&text, NameOf(record.reduce), ", ");
    absl::StrAppend(&text, DTypeName(record.dtype), ", ", record.bytes(), " bytes");
    if (record.operation == Operation::kSend) absl::StrAppend(&text, ", to rank ", record.root);
    if (record.operation == Operation::kRecv) absl::StrAppend(&text, ", from rank ", record.root);
    if (HasRoot(record.operation) && !IsPair(record.operation)) absl::StrAppend(&text, ", root ", record.root);
    if (record.operation == Operation::kAllGather) absl::StrAppend(&text, " in ", record.rows, " rows");
  }
  return absl::StrCat(text, ") at ", record.file, ":", record.line);
}

absl::Status Compare(const std::vector<Record>& records) {
  const Record* wide = &records.front();  // one with rows, which have a size
  for (const Record& record : records) {
    if (!FitTogether(*wide, record)) return Differ(*wide, record);
    if (wide->rows == 0) wide = &record;
  }
  return absl::OkStatus();
}

absl::Status ComparePair(const Record& send, const Record& recv) {
  const bool fit = send.dtype == recv.dtype && send.count() == recv.count();
  return fit ? absl::OkStatus() : Differ(send, recv);
}

bool IsSane(const Record& record) {
  if (static_cast<int>(record.operation) >= kOperations || record.reduce > ReduceOp::kProduct) return false;
  if (static_cast<int>(record.dtype) >= kDTypeCount || record.rows < 0 || record.row_size < 0) return false;
  int64_t count = 0;
  return !__builtin_mul_overflow(record.rows, record.row_size, &count) && count <= kMostElements;
}

}  // namespace twinkle::collective
