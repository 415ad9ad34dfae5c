// What was handed over is what it was then: memory that others hold and may write to is copied.
#include <dlpack/dlpack.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/codec/values.h"

namespace twinkle::codec {
namespace {

Tensor Numbers() { return TensorOf<int64_t>({1, 2, 3, 4, 5, 6}, {3, 2}); }

template <class T>
T& Snap(T& value) {
  CHECK(Snapshot(internal::kType<T>, &value).ok());
  return value;
}
// Whether a snapshot leaves the tensor where it is.
bool IsAdopted(Tensor& tensor) {
  const std::byte* before = tensor.raw();
  return Snap(tensor).raw() == before;
}

TEST_CASE("a tensor that nobody else holds is adopted") {
  Tensor tensor = Numbers();
  CHECK(tensor.CanBeAdopted());
  CHECK(IsAdopted(tensor));
}

TEST_CASE("a tensor that somebody else holds is copied") {
  Tensor tensor = Numbers();
  const Tensor other = tensor;
  CHECK_FALSE(tensor.CanBeAdopted());
  CHECK_FALSE(IsAdopted(tensor));
  CHECK((tensor == other));
  CHECK(tensor.CanBeAdopted());
}

TEST_CASE("what is written later through an old view does not reach the snapshot") {
  Tensor mine = Numbers();
  const auto elements = *mine.mutable_data<int64_t>();
  Tensor argument = mine;
  Snap(argument);
  elements[0] = 100;
  CHECK(argument.data<int64_t>()->front() == 1);
  CHECK(mine.data<int64_t>()->front() == 100);
}

TEST_CASE("a frozen tensor is adopted whoever holds it") {
  Tensor tensor = Numbers();
  Tensor other = tensor;
  other.Freeze();
  CHECK(tensor.frozen());
  CHECK(IsAdopted(tensor));
}

TEST_CASE("of a row view of shared memory only the rows are copied") {
  const Tensor whole = Numbers();
  Tensor rows = whole.Rows(1, 2);
  CHECK_FALSE(IsAdopted(rows));
  CHECK((rows == TensorOf<int64_t>({3, 4}, {1, 2})));
  CHECK(rows.owner() != whole.owner());
  Tensor last = Numbers().Rows(2, 3);  // nobody else is left
  CHECK(IsAdopted(last));
}

TEST_CASE("memory that came from outside is copied unless it was declared frozen") {
  const auto owner = std::make_shared<std::vector<float>>(4, 1.0F);
  const auto* data = reinterpret_cast<const std::byte*>(owner->data());
  Tensor lent = *Tensor::FromBuffer(DType::kFloat32, {4}, owner, data, /*frozen=*/false);
  CHECK_FALSE(IsAdopted(lent));
  Tensor constant = *Tensor::FromBuffer(DType::kFloat32, {4}, owner, data, /*frozen=*/true);
  CHECK(IsAdopted(constant));
  Tensor imported = *Tensor::FromDLPack(Numbers().ToDLPack());
  CHECK_FALSE(IsAdopted(imported));
  CHECK((imported == Numbers()));
  auto given = std::make_shared<std::vector<float>>(4, 1.0F);
  const auto* given_data = reinterpret_cast<const std::byte*>(given->data());
  Tensor taken = *Tensor::FromBuffer(DType::kFloat32, {4}, std::move(given), given_data, /*frozen=*/false);
  CHECK(IsAdopted(taken));
}

TEST_CASE("a decoded tensor shares its buffer and is adopted") {
  const Encoded encoded = *Encode(Hold(TensorOf<float>(std::vector<float>(5000, 1))));
  Tensor read = *DecodeAs<Tensor>(encoded.head, encoded.buffers);
  CHECK(IsAdopted(read));
}

class Holder {
 public:
  Holder() = default;
  Tensor tensor;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(tensor);
  }
};
struct All {
  Tensor member;
  std::vector<Tensor> list;
  std::array<Tensor, 1> array;
  Tensor raw[1];
  std::pair<int, Tensor> pair;
  std::map<std::string, Tensor> map;
  std::optional<Tensor> maybe;
  std::variant<int, Tensor> one_of;
  std::vector<std::vector<Tensor>> lists;
  Holder holder;
  Value value;
};

const Tensor* InValue(const Value& value, const char* key) {
  const Value& item = value.get_if<Value::Dict>()->at(key);
  if (const auto* tensor = item.get_if<Tensor>()) return tensor;
  const auto* tuple = item.get_if<Value::Tuple>();
  const Value::List& items = tuple != nullptr ? tuple->items : *item.get_if<Value::List>();
  return items[0].get_if<Tensor>();
}

TEST_CASE("tensors are found wherever they are in a value") {
  const Tensor other = Numbers();
  All all{other, {other}, {other}, {other}, {1, other}, {{"a", other}}, other, other, {{other}}, {}, {}};
  all.holder.tensor = other;
  Value::Dict dict;
  dict["tensor"] = other;
  dict["list"] = Value::List{other};
  dict["tuple"] = Value::Tuple{{other}};
  all.value = std::move(dict);
  Snap(all);
  const std::vector<const Tensor*> found = {&all.member,
                                            &all.list[0],
                                            &all.array[0],
                                            &all.raw[0],
                                            &all.pair.second,
                                            &all.map["a"],
                                            &*all.maybe,
                                            &std::get<Tensor>(all.one_of),
                                            &all.lists[0][0],
                                            &all.holder.tensor,
                                            InValue(all.value, "tensor"),
                                            InValue(all.value, "list"),
                                            InValue(all.value, "tuple")};
  for (size_t i = 0; i < found.size(); ++i) {
    INFO("place " << i);
    CHECK(found[i]->raw() != other.raw());
    CHECK((*found[i] == other));
  }
}

TEST_CASE("tensors that an Array holds are made independent, too") {
  Tensor mine = Numbers();
  const auto elements = *mine.mutable_data<int64_t>();
  Array<Tensor> argument({mine});
  Snap(argument);
  elements[0] = 100;
  CHECK(argument[0].data<int64_t>()->front() == 1);
}

// Two columns of three, which nobody else holds once they are frozen.
Tensor Transposed() {
  static int64_t elements[] = {1, 2, 3, 4, 5, 6};
  static int64_t shape[] = {3, 2};
  static int64_t strides[] = {1, 3};
  static DLManagedTensor managed{};
  managed.dl_tensor = {elements, {kDLCPU, 0}, 2, {kDLInt, 64, 1}, shape, strides, 0};
  return *Tensor::FromDLPack(&managed);
}

TEST_CASE("a strided tensor is packed, whoever holds it") {
  for (const bool frozen : {false, true}) {
    Tensor tensor = Transposed();
    if (frozen) tensor.Freeze();
    CHECK(tensor.CanBeAdopted() == frozen);
    CHECK_FALSE(tensor.contiguous());
    Snap(tensor);
    CHECK(tensor.contiguous());
    CHECK(tensor.strides() == std::vector<int64_t>{2, 1});
    CHECK(tensor.CanBeAdopted());
    CHECK((tensor == TensorOf<int64_t>({1, 4, 2, 5, 3, 6}, {3, 2})));
  }
}

}  // namespace
}  // namespace twinkle::codec
