#include <absl/strings/str_cat.h>

#include "runtime/codec/codec.h"
#include "runtime/codec/each_entry.h"

namespace twinkle::codec {
namespace {

using internal::As;
using internal::Kind;

void SetLeaf(RowNode& node, RowNode::Kind kind, int64_t rows) {
  node.kind = kind;
  node.rows = rows;
}

// Counts rows: each function fills in the last node of `rows`, and appends the nodes below it.
void CountValue(const Value& value, Rows& rows) {
  const size_t me = rows.size() - 1;
  if (const auto* list = value.get_if<Value::List>()) {
    SetLeaf(rows[me], RowNode::Kind::kList, static_cast<int64_t>(list->size()));
  } else if (const auto* tensor = value.get_if<Tensor>(); tensor != nullptr && tensor->rows() >= 0) {
    SetLeaf(rows[me], RowNode::Kind::kTensor, tensor->rows());
  } else if (const auto* dict = value.get_if<Value::Dict>()) {
    rows[me].kind = RowNode::Kind::kTree;
    rows[me].children = static_cast<uint32_t>(dict->size());
    for (const auto& [key, item] : *dict) {
      rows.push_back({.key = key});
      CountValue(item, rows);
    }
  }
}

void Count(const Type& t, const void* p, Rows& rows);

void CountTree(const Type& t, const void* p, Rows& rows) {
  const size_t me = rows.size() - 1;
  rows[me].kind = RowNode::Kind::kTree;
  const auto child = [&](std::string key, const Type& type, const void* value) {
    ++rows[me].children;
    rows.push_back({.key = std::move(key)});
    Count(type, value, rows);
  };
  if (t.kind == Kind::kDict) {
    EachEntry(t, Mutable(p), [&](void* key, void* value) { child(As<std::string>(key), *t.item, value); });
  } else {
    EachMember(t, Mutable(p), [&](void* member, const Type& type) { child({}, type, member); });
  }
}

void Count(const Type& t, const void* p, Rows& rows) {
  if (!t.can_split) return;
  RowNode& node = rows.back();
  switch (t.kind) {
    case Kind::kList:
    case Kind::kArrayRef:
    case Kind::kBools:
      return SetLeaf(node, RowNode::Kind::kList, static_cast<int64_t>(t.length(p)));
    case Kind::kTensor:
      if (As<Tensor>(p).rows() >= 0) SetLeaf(node, RowNode::Kind::kTensor, As<Tensor>(p).rows());
      return;
    case Kind::kClass:
      return SetLeaf(node, RowNode::Kind::kTensor, t.rows(p));
    case Kind::kRecord:
    case Kind::kDict:
      return CountTree(t, p, rows);
    case Kind::kOptional:
      if (t.length(p) != 0) Count(*t.item, t.data(Mutable(p)), rows);
      return;
    case Kind::kVariant:
      if (t.length(p) < t.count) Count(*t.alternatives[t.length(p)], t.data(Mutable(p)), rows);
      return;
    case Kind::kValue:
      return CountValue(As<Value>(p), rows);
    default:
      return;
  }
}

}  // namespace

Rows RowsOf(const Type& type, const void* value) {
  Rows rows(1);
  if (value != nullptr) Count(type, value, rows);
  return rows;
}

size_t LeafCount(const Rows& rows) {
  size_t count = 0;
  for (const RowNode& node : rows) count += node.rows >= 0 ? 1 : 0;
  return count;
}

absl::StatusOr<int64_t> CommonRows(const Rows& rows) {
  int64_t common = -1;
  for (const RowNode& node : rows) {
    if (node.rows < 0) continue;
    if (common >= 0 && node.rows != common) {
      return absl::InvalidArgumentError(
          absl::StrCat("the value has no one number of rows: its members have ", common, " and ", node.rows));
    }
    common = node.rows;
  }
  if (common < 0) return absl::InvalidArgumentError("the value has no rows: it is or holds no list or tensor");
  return common;
}

}  // namespace twinkle::codec
