// What public functions give goes wherever an absl::StatusOr does, and a std::optional.
#include <twinkle/twinkle.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using twinkle::DeviceMesh, twinkle::Tensor;
using Mesh = DeviceMesh;
using MeshOr = absl::StatusOr<Mesh>;

class Policy {
 public:
  explicit Policy(int size = 0);
  std::vector<std::string> Generate(int count);
  auto Mesh() { return DeviceMesh::FromSizes({.dp = 2}); }
};
TWINKLE_REMOTE_CLASS(Policy, (), (Generate, twinkle::Collect::kFlatten), (Mesh, twinkle::Collect::kFirst))
using PolicyOr = absl::StatusOr<twinkle::Remote<Policy>>;

auto Made(int dp = 2) { return DeviceMesh::FromSizes({.dp = dp}); }

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define ASSIGN_OR_RETURN_AS(answer, target, expression) \
  auto answer = (expression);                           \
  if (!answer.ok()) return answer.status();             \
  target = std::move(answer).value()
#define ASSIGN_OR_RETURN(target, expression) ASSIGN_OR_RETURN_AS(JOIN(answer, __LINE__), target, expression)
#define MOVE_OR_RETURN_AS(answer, target, expression)  \
  auto&& answer = (expression);                        \
  if (!answer.ok()) return std::move(answer).status(); \
  target = *std::move(answer)
#define MOVE_OR_RETURN(target, expression) MOVE_OR_RETURN_AS(JOIN(answer, __LINE__), target, expression)

absl::Status Macros(int argc, char** argv) {
  ASSIGN_OR_RETURN(twinkle::Session session, twinkle::Initialize(argc, argv));
  MOVE_OR_RETURN(auto other, twinkle::Initialize(argc, argv, {}));
  ASSIGN_OR_RETURN(const auto& mesh, Made());
  MOVE_OR_RETURN(Mesh copy, DeviceMesh::FromShape({2}, {"dp"}));
  ASSIGN_OR_RETURN(copy, Made(3));
  ASSIGN_OR_RETURN(auto policy, twinkle::New<Policy>({.device_mesh = mesh}, 1));
  MOVE_OR_RETURN(policy, twinkle::Find<Policy>("policy"));
  const twinkle::Lazy<std::vector<std::string>> texts = policy.Generate(1);
  ASSIGN_OR_RETURN(const int64_t rows, texts.Size());
  return rows > 0 ? session.Finish() : other.Finish();
}

// ---- returned, passed on, kept
MeshOr Returned() { return Made(); }
MeshOr ReturnedByName() {
  auto mesh = Made();
  if (!mesh.ok()) return mesh.status();
  return mesh;
}
MeshOr ReturnedValue() {
  auto mesh = Made();
  return *std::move(mesh);
}
absl::StatusOr<twinkle::Session> ReturnedSession(int argc, char** argv) { return twinkle::Initialize(argc, argv); }
absl::StatusOr<twinkle::Session> ReturnedSessionByName(int argc, char** argv) {
  auto session = twinkle::Initialize(argc, argv);
  return session;
}
PolicyOr ReturnedPolicy() { return twinkle::New<Policy>({}, 1); }
absl::StatusOr<std::shared_ptr<Mesh>> ReturnedShared() {
  auto mesh = Made();
  if (!mesh.ok()) return std::move(mesh).status();
  return std::make_shared<Mesh>(*std::move(mesh));
}
absl::StatusOr<std::optional<Mesh>> ReturnedConverted() { return Made(); }

void Take(MeshOr);
void TakeReference(const MeshOr&);
void TakeMoved(MeshOr&&);
void TakeEither(const MeshOr&);
void TakeEither(const Mesh&);
template <class T>
T Must(absl::StatusOr<T> answer) {
  return *std::move(answer);
}
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& answer) {
  return answer.status();
}

struct Member {
  MeshOr mesh = Made();
  std::optional<MeshOr> optional = Made();
  Mesh whole = Made().value();
};

void Kept(bool which, MeshOr other, const MeshOr& constant) {
  MeshOr copied = Made(), direct(Made()), braces{Made()};
  const MeshOr& reference = Made();
  MeshOr&& moved = Made();
  copied = Made();
  auto mesh = Made();
  mesh = Made();
  mesh = absl::InternalError("none");
  mesh = Mesh();
  mesh = other;
  mesh = std::move(other);
  copied = mesh;
  copied = std::move(mesh);
  auto address = twinkle::Context().Rendezvous();
  address = "here:1";
  address = absl::StatusOr<std::string>("there:2");
  absl::StatusOr<std::string_view> view = address.value();

  Take(Made()), TakeReference(Made()), TakeMoved(Made()), TakeEither(Made()), Take(mesh), Take(std::move(mesh));
  Must(Made()), StatusOf(Made()).IgnoreError();

  const MeshOr chosen[] = {which ? Made() : Made(3),        which ? Made() : MeshOr(absl::InternalError("none")),
                           which ? MeshOr(Mesh()) : Made(), which ? Made() : absl::InternalError("none"),
                           which ? Made() : Mesh(),         which ? constant : Made(),
                           which ? copied : Made()};
  std::vector<MeshOr> list = {Made(), Made()};
  list.push_back(Made());
  list.emplace_back(Made());
  std::map<std::string, MeshOr> named = {{"one", Made()}};
  named["two"] = Made();
  named.emplace("three", Made());
  std::function<MeshOr(int)> function = Made;
  function = [](int dp) { return Made(dp); };
  std::vector<decltype(Made())> of_same(3);
  static_cast<void>(direct), static_cast<void>(braces), static_cast<void>(reference), static_cast<void>(moved);
  static_cast<void>(view), static_cast<void>(chosen), static_cast<void>(of_same), static_cast<void>(function);
  static_cast<void>(Made() == Made() || mesh != copied || constant == mesh);
}

// ---- taken out where it stands
static_assert(std::is_same_v<decltype(*Made()), Mesh>);
static_assert(std::is_same_v<decltype(*twinkle::New<Policy>({})), twinkle::Remote<Policy>>);
static_assert(std::is_same_v<decltype(twinkle::Find<Policy>("policy").value()), twinkle::Remote<Policy>>);
static_assert(std::is_same_v<decltype(*Tensor::FromVector<float>({})), Tensor>);
static_assert(std::is_same_v<decltype(*twinkle::Context().Rendezvous()), std::string>);
static_assert(std::is_same_v<decltype(*twinkle::GetErrorDetail({})), twinkle::ErrorDetail>);
static_assert(std::is_same_v<decltype(*std::declval<const twinkle::Lazy<int>&>().Size()), int64_t>);

void Out() {
  for (const int size : (*Made()).shape()) static_cast<void>(size);
  for (const float value : *(*Tensor::FromVector<float>({1, 2})).data<float>()) static_cast<void>(value);
  const auto& [begin, end] = *Made()->Slice(10, 0);
  const Mesh& mesh = *Made();
  auto again = Made();
  Mesh moved = std::move(*again);
  Mesh&& kept = std::move(again).value();
  const int world_size = Made()->world_size() + mesh.world_size() + moved.world_size() + kept.world_size();
  const Mesh or_else = Made().value_or(Mesh());
  if (auto found = twinkle::Find<Policy>("policy"); found.ok()) found->Generate(world_size);
  static_cast<void>(begin + end + or_else.world_size());
}

// ---- GetErrorDetail
void TakeDetail(std::optional<twinkle::ErrorDetail>);
std::optional<twinkle::ErrorDetail> ReturnedDetail(const absl::Status& status) {
  auto detail = twinkle::GetErrorDetail(status);
  return detail;
}
void Details(bool which, const absl::Status& status) {
  std::optional<twinkle::ErrorDetail> copied = twinkle::GetErrorDetail(status), direct(twinkle::GetErrorDetail(status));
  const std::optional<twinkle::ErrorDetail>& reference = twinkle::GetErrorDetail(status);
  auto detail = twinkle::GetErrorDetail(status);
  detail = twinkle::GetErrorDetail(status);
  detail = std::nullopt;
  detail = twinkle::ErrorDetail{};
  detail = copied;
  detail = {};
  copied = detail;
  TakeDetail(twinkle::GetErrorDetail(status));
  TakeDetail(detail);
  if (const auto found = twinkle::GetErrorDetail(status); found && found->rank >= 0) direct.reset();
  const auto chosen = which ? twinkle::GetErrorDetail(status) : std::nullopt;
  const twinkle::ErrorDetail& out = *twinkle::GetErrorDetail(status);
  const std::string host = twinkle::GetErrorDetail(status)->host;
  static_cast<void>(reference.has_value() || chosen == std::nullopt || out.rank == 0 || host.empty());
}

// ---- braces say nothing of how an answer failed
template <class T>
concept MadeOfNothing = requires(void take(T)) {
  take({});
};
static_assert(!MadeOfNothing<MeshOr> && !MadeOfNothing<decltype(Made())>);
static_assert(MadeOfNothing<std::optional<int>> && MadeOfNothing<decltype(twinkle::GetErrorDetail({}))>);
