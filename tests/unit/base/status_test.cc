#include "runtime/base/status.h"

#include <absl/strings/cord.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("a refusal is InvalidArgument, says why, and carries the name of its reason") {
  const absl::Status refused = Refuse("batch_too_small", "argument 1 has 2 rows");
  CHECK(absl::IsInvalidArgument(refused));
  CHECK(std::string(refused.message()) == "argument 1 has 2 rows [batch_too_small]");
  CHECK(ReasonOf(refused) == "batch_too_small");
  CHECK(ReasonOf(Refuse("bad_size", "the shape [2, -1] is wrong")) == "bad_size");
}

TEST_CASE("a refusal keeps its reason when it is annotated") {
  CHECK(ReasonOf(Annotate(Refuse("ragged", "result 1 is longer"), "collecting Policy.Train [train.cc:7]")) == "ragged");
}

TEST_CASE("statuses whose message does not end with a reason have none") {
  CHECK(ReasonOf(absl::OkStatus()).empty());
  CHECK(ReasonOf(absl::InvalidArgumentError("")).empty());
  CHECK(ReasonOf(absl::InvalidArgumentError("no brackets")).empty());
  CHECK(ReasonOf(absl::InvalidArgumentError("rows [0, 4) of it")).empty());
  CHECK(ReasonOf(absl::InvalidArgumentError("closed only]")).empty());
  CHECK(ReasonOf(absl::InvalidArgumentError("[opened only")).empty());
}

TEST_CASE("a status that Refuse did not make has no reason, whatever its message ends with") {
  CHECK(ReasonOf(absl::CancelledError("Policy.Generate [train.cc:78]")).empty());
}

TEST_CASE("Annotate puts words before the message, keeps code and payloads, and leaves OK alone") {
  absl::Status cause = absl::NotFoundError("no such file");
  cause.SetPayload("where", absl::Cord("here"));
  const absl::Status annotated = Annotate(cause, "loading");
  CHECK(absl::IsNotFound(annotated));
  CHECK(std::string(annotated.message()) == "loading: no such file");
  REQUIRE(annotated.GetPayload("where").has_value());
  CHECK(std::string(*annotated.GetPayload("where")) == "here");
  CHECK(Annotate(absl::OkStatus(), "loading").ok());
}

TEST_CASE("Brief is the code and the message, without payloads") {
  absl::Status status = absl::UnknownError("boom");
  status.SetPayload("where", absl::Cord("here"));
  CHECK(Brief(status) == "UNKNOWN: boom");
  CHECK(Brief(absl::OkStatus()) == "OK");
}

// ---- macros
absl::StatusOr<std::unique_ptr<int>> MakeNumber(bool good) {
  if (!good) return absl::DataLossError("gone");
  return std::make_unique<int>(21);
}

absl::StatusOr<int> Doubled(bool good) {
  TWINKLE_ASSIGN_OR_RETURN(const std::unique_ptr<int> number, MakeNumber(good));
  int doubled = 0;
  TWINKLE_ASSIGN_OR_RETURN(doubled, absl::StatusOr<int>(*number * 2));
  return doubled;
}

absl::Status Passed(const absl::Status& status, int* reached) {
  if (*reached == 0) TWINKLE_RETURN_IF_ERROR(status);
  ++*reached;
  return absl::OkStatus();
}

TEST_CASE("the macros return failures and go on otherwise; values are moved") {
  CHECK(*Doubled(true) == 42);
  CHECK(absl::IsDataLoss(Doubled(false).status()));
  int reached = 0;
  CHECK(absl::IsAborted(Passed(absl::AbortedError("no"), &reached)));
  CHECK(reached == 0);
  CHECK(Passed(absl::OkStatus(), &reached).ok());
  CHECK(reached == 1);
}

TEST_CASE("the macros evaluate their expression once") {
  int evaluated = 0;
  const auto next = [&]() -> absl::StatusOr<int> { return ++evaluated; };
  const auto both = [&]() -> absl::Status {
    TWINKLE_ASSIGN_OR_RETURN(const int one, next());
    TWINKLE_RETURN_IF_ERROR(one == 1 ? absl::OkStatus() : absl::InternalError("evaluated again"));
    return absl::OkStatus();
  };
  CHECK(both().ok());
  CHECK(evaluated == 1);
}

}  // namespace
}  // namespace twinkle::base
