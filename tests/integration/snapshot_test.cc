// Arguments, results and Put values are what they were when the call was made or the method returned.
#include <twinkle/twinkle.h>

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/integration/session.h"

namespace kept {

using twinkle::Array, twinkle::Bytes, twinkle::Collect, twinkle::Dispatch, twinkle::Lazy, twinkle::Tensor,
    twinkle::Value;
using List = std::vector<int64_t>;

struct Batch {
  List list;
  Tensor tensor;
  std::map<std::string, Tensor> named;
  std::optional<Tensor> maybe;
  std::variant<int64_t, Tensor> either;
  std::vector<Tensor> many;
};

// Methods wait at the gate, so that the caller has changed what it gave before they look.
twinkle::tests::Gate gate;
std::vector<float> Floats(const Tensor& tensor) { return twinkle::tests::Items<float>(tensor); }

class Keeper {
 public:
  void Block() { gate.Wait(); }
  List Echo(const List& list) { return list; }
  std::vector<float> Tensors(const Tensor& tensor) { return Floats(tensor); }
  std::vector<std::vector<float>> InBatch(const Batch& batch) {
    std::vector<std::vector<float>> all = {Floats(batch.tensor), Floats(batch.named.at("x")), Floats(*batch.maybe),
                                           Floats(std::get<Tensor>(batch.either)), Floats(batch.many.at(0))};
    all.emplace_back(batch.list.begin(), batch.list.end());
    return all;
  }
  std::vector<float> InValue(const Value& value) {
    return Floats(*value.get_if<Value::Dict>()->at("x").get_if<Tensor>());
  }
  std::string Text(const Bytes& bytes) { return std::string(bytes.view()); }

  // Own state, written to through memory that was taken before it was kept.
  void Keep(const Tensor& tensor) { kept_ = tensor; }
  std::vector<float> Kept() { return Floats(kept_); }
  void Make() {
    state_ = twinkle::tests::TensorOf<float>({1, 2, 3});
    span_ = *state_.mutable_data<float>();
    list_ = {1, 2, 3};
  }
  void Change() {
    span_[0] = 99;
    list_[0] = 99;
  }
  Tensor State() { return state_; }
  Tensor StateRows() { return state_.Rows(0, 2); }
  Batch StateInBatch() {
    return {
        .list = list_, .tensor = state_, .named = {{"x", state_}}, .maybe = state_, .either = state_, .many = {state_}};
  }
  Value StateInValue() { return Value::Dict{{"x", state_}}; }
  Array<Tensor> StateInArray() { return Array<Tensor>({state_}); }
  const List& ListState() const { return list_; }
  const Tensor& TensorState() const { return state_; }

  // Writes to what it was given.
  std::vector<float> Write(Tensor tensor) {
    const std::span<float> items = tensor.mutable_data<float>().value();
    for (float& item : items) item += 100 + static_cast<float>(twinkle::Context().rank());
    return Floats(tensor);
  }
  int64_t Size(List list) {
    list.push_back(0);
    return static_cast<int64_t>(list.size());
  }

 private:
  Tensor kept_;
  Tensor state_;
  std::span<float> span_;
  List list_;
};
TWINKLE_REMOTE_CLASS(Keeper, (), (Block), (Echo, Dispatch::kAll, Collect::kFirst),
                     (Tensors, Dispatch::kAll, Collect::kFirst), (InBatch, Dispatch::kAll, Collect::kFirst),
                     (InValue, Collect::kFirst), (Text, Collect::kFirst), (Keep, Dispatch::kAll),
                     (Kept, Collect::kFirst), (Make), (Change), (State, Collect::kFirst), (StateRows, Collect::kFirst),
                     (StateInBatch, Collect::kFirst), (StateInValue, Collect::kFirst), (StateInArray, Collect::kFirst),
                     (ListState, Collect::kFirst), (TensorState, Collect::kFirst), (Write, Dispatch::kAll),
                     (Size, Dispatch::kAll, Collect::kNone))

}  // namespace kept

namespace {

using namespace twinkle::tests;
using namespace kept;
using twinkle::Mode;
using Row = std::vector<float>;

// A tensor over memory that the test goes on writing to.
struct Writable {
  explicit Writable(Row values) : memory(std::make_shared<Row>(std::move(values))) {
    const auto* data = reinterpret_cast<const std::byte*>(memory->data());
    tensor = Must(Tensor::FromBuffer(twinkle::DType::kFloat32, {static_cast<int64_t>(memory->size())}, memory, data,
                                     /*frozen=*/false));
  }
  std::shared_ptr<Row> memory;
  Tensor tensor;
};

struct Job {
  explicit Job(Mode mode, int ranks = 2) : session(Begin(mode, {Cpu("g", ranks)})) {
    keeper = Must(twinkle::New<Keeper>({.remote_group = "g"}));
    Must(keeper.component().WaitReady(absl::Seconds(60)));
    if (mode == Mode::kLocal) return;  // a call runs before it returns: nobody could open the gate
    gate.Close();
    keeper.Block();
  }
  ~Job() { Open(); }
  void Open() { gate.Open(); }
  twinkle::Session session;
  twinkle::Remote<Keeper> keeper;
};

TEST_CASE("what the caller does to its values after the call does not reach the method") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode);
  auto& keeper = job.keeper;
  List list = {1, 2, 3};
  const auto echoed = keeper.Echo(list);
  list[0] = 99;
  Tensor tensor = TensorOf<float>({1, 2, 3});
  const auto items = keeper.Tensors(tensor);
  tensor.mutable_data<float>().value()[0] = 99;
  const auto rows = keeper.Tensors(tensor.Rows(1, 3));
  tensor.mutable_data<float>().value()[1] = 98;
  job.Open();
  CHECK(Result(echoed) == List{1, 2, 3});
  CHECK(Result(items) == Row{1, 2, 3});
  CHECK(Result(rows) == Row{2, 3});
}

TEST_CASE("memory that the caller holds besides a tensor may be written to after the call") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  const size_t size = GENERATE(size_t{3}, size_t{100000});  // small ones are copied into the message, big ones are not
  CAPTURE(NameOf(mode), size);
  Job job(mode);
  auto& keeper = job.keeper;
  const Row ones(size, 1), twos(size, 2);
  Writable foreign(ones);
  Tensor own = TensorOf<float>(twos);
  const std::span<float> span = *own.mutable_data<float>();
  const auto of_foreign = keeper.Tensors(foreign.tensor);
  const auto of_own = keeper.Tensors(own);
  const auto in_batch = keeper.InBatch({.list = {7},
                                        .tensor = own,
                                        .named = {{"x", own}},
                                        .maybe = own,
                                        .either = foreign.tensor,
                                        .many = {foreign.tensor}});
  const auto in_value = keeper.InValue(Value(Value::Dict{{"x", own}}));
  const auto per_rank =
      mode == Mode::kLocal ? keeper.Tensors(own) : keeper.Tensors(twinkle::PerRank(std::vector<Tensor>{own, own}));
  keeper.Keep(foreign.tensor);
  const auto at_once = keeper.Kept();
  (*foreign.memory)[0] = 99;
  span[0] = 98;
  job.Open();
  CHECK((Result(of_foreign) == ones));
  CHECK((Result(of_own) == twos));
  CHECK((Result(in_batch) == std::vector<Row>{twos, twos, twos, ones, ones, {7}}));
  CHECK((Result(in_value) == twos));
  CHECK((Result(per_rank) == twos));
  CHECK((Result(at_once) == ones));
  CHECK((Result(keeper.Kept()) == ones));  // also what the object kept of it
}

TEST_CASE("moved arguments arrive, and leave nothing behind") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode);
  List list(1000, 7);
  Tensor tensor = TensorOf<float>(Row(100000, 1.5f));
  const auto echoed = job.keeper.Echo(std::move(list));
  const auto items = job.keeper.Tensors(std::move(tensor));
  CHECK(list.empty());  // NOLINT(bugprone-use-after-move): moved into the call
  job.Open();
  CHECK(Result(echoed) == List(1000, 7));
  CHECK(Result(items) == Row(100000, 1.5f));
}

TEST_CASE("a frozen tensor is sent as it is and still compares equal") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode);
  Tensor tensor = TensorOf<float>(Row(100000, 1.5f));
  tensor.Freeze();
  const auto items = job.keeper.Tensors(tensor);
  tensor.mutable_data<float>().value()[0] = 99;  // a private copy
  CHECK_FALSE(tensor.frozen());
  job.Open();
  CHECK(Result(items) == Row(100000, 1.5f));
}

TEST_CASE("what a Put value was is what it stays") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  Job job(mode);
  Writable foreign({1, 2, 3});
  const Lazy<Tensor> put = twinkle::Put(foreign.tensor);
  const auto items = job.keeper.Tensors(put);
  (*foreign.memory)[0] = 99;
  job.Open();
  CHECK(Result(items) == Row{1, 2, 3});
  CHECK(Floats(*put.Get()) == Row{1, 2, 3});
  Tensor mine = *put.Get();
  mine.mutable_data<float>().value()[0] = 98;  // a private copy
  CHECK(Floats(*put.Get()) == Row{1, 2, 3});
}

TEST_CASE("results do not change with the object's state") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode);
  job.Open();
  auto& keeper = job.keeper;
  keeper.Make();
  const auto state = keeper.State();
  const auto by_reference = keeper.TensorState();
  const auto rows = keeper.StateRows();
  const auto in_batch = keeper.StateInBatch();
  const auto in_value = keeper.StateInValue();
  const auto in_array = keeper.StateInArray();
  const auto list = keeper.ListState();
  Must(keeper.Change().Get());  // all of them are made, none was fetched
  CHECK(Floats(*state.Get()) == Row{1, 2, 3});
  CHECK(Floats(*by_reference.Get()) == Row{1, 2, 3});
  CHECK(Floats(*rows.Get()) == Row{1, 2});
  CHECK(Result(keeper.InBatch(in_batch)) ==
        std::vector<Row>{{1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}});
  CHECK(Result(keeper.InValue(in_value)) == Row{1, 2, 3});
  CHECK(Floats((*in_array.Get())[0]) == Row{1, 2, 3});
  CHECK(Result(list) == List{1, 2, 3});
  CHECK(Floats(Result(keeper.State())) == Row{99, 2, 3});
}

TEST_CASE("who writes to an argument writes to a copy of its own") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode, 3);
  job.Open();
  auto& keeper = job.keeper;
  const bool big = GENERATE(false, true);  // small ones travel with the call, big ones as buffers that are shared
  const size_t size = big ? 100000 : 3;
  Tensor tensor = TensorOf<float>(Row(size, 1));
  if (GENERATE(false, true)) tensor.Freeze();
  const auto expected = [&](const std::vector<Row>& written) {
    for (size_t rank = 0; rank < written.size(); ++rank) {
      CHECK(written[rank] == Row(size, 101 + static_cast<float>(rank)));
    }
    CHECK(written.size() == (mode == Mode::kLocal ? 1 : 3));
  };
  expected(Result(keeper.Write(tensor)));
  CHECK(Floats(tensor) == Row(size, 1));
  const Lazy<Tensor> put = twinkle::Put(tensor);
  expected(Result(keeper.Write(put)));
  expected(Result(keeper.Write(put)));
  CHECK(Floats(*put.Get()) == Row(size, 1));
  keeper.Keep(tensor);
  const Lazy<Tensor> made = keeper.Rank(0).TensorState();  // empty: nothing was made
  CHECK(Floats(*made.Get()).empty());
  const Lazy<List> list = twinkle::Put(List{1, 2});
  CHECK(Result(keeper.Size(list)) == List(mode == Mode::kLocal ? 1 : 3, 3));
  CHECK(Result(list) == List{1, 2});
}

TEST_CASE("a result is the caller's: changing it changes nobody else's") {
  const auto mode = GENERATE(Mode::kLocal, Mode::kInProcess);
  CAPTURE(NameOf(mode));
  Job job(mode);
  job.Open();
  auto& keeper = job.keeper;
  keeper.Make();
  const auto state = keeper.State();
  Tensor mine = *state.Get();
  mine.mutable_data<float>().value()[0] = 50;
  CHECK(Floats(*state.Get()) == Row{1, 2, 3});
  CHECK(Result(keeper.Tensors(state)) == Row{1, 2, 3});
  CHECK(Floats(Result(keeper.State())) == Row{1, 2, 3});
}

}  // namespace
