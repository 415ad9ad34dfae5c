#include "runtime/actor/failure.h"

#include <absl/strings/cord.h>

#include <nlohmann/json.hpp>
#include <string>

#include "runtime/actor/error_detail.h"
#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

CallFacts Facts() { return {"rl::Policy", "Generate", "policy", 2, "host7, pid 123", "train.cc", 78}; }

nlohmann::json DetailOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kDetailUrl);
  REQUIRE(payload.has_value());
  return nlohmann::json::parse(std::string(*payload), nullptr, /*allow_exceptions=*/false);
}

TEST_CASE("classes go by the last part of their names") {
  CHECK(ShortName("Policy") == "Policy");
  CHECK(ShortName("a::b::Policy") == "Policy");
  CHECK(ShortName("a::Policy<b::C, int>") == "Policy");
  CHECK(ShortName("{anonymous}::Policy") == "Policy");
  CHECK(ShortName("(anonymous namespace)::Policy") == "Policy");
  CHECK(ShortName("") == "");
}

TEST_CASE("files go by their base names") {
  CHECK(BaseName("/home/me/train.cc") == "train.cc");
  CHECK(BaseName("train.cc") == "train.cc");
  CHECK(BaseName("src/") == "");
}

TEST_CASE("a failure says what, where, and in which line of the program") {
  CHECK(What(Facts()) == "Policy.Generate [train.cc:78]");
  const absl::Status failed = Failed(Facts(), absl::UnknownError("boom"));
  CHECK(absl::IsUnknown(failed));
  CHECK(std::string(failed.message()) ==
        "Policy.Generate failed on rank 2 of group 'policy' (host7, pid 123) [train.cc:78]: boom");
}

TEST_CASE("a failure of an object of the program says that") {
  CallFacts facts = Facts();
  facts.group.clear();
  facts.rank = -1;
  const absl::Status failed = Failed(facts, absl::UnknownError("boom"));
  CHECK(std::string(failed.message()) == "Policy.Generate failed in this process [train.cc:78]: boom");
  CHECK(DetailOf(failed)["rank"] == -1);
}

TEST_CASE("the same facts are its payload, as JSON") {
  const nlohmann::json detail = DetailOf(Failed(Facts(), absl::UnknownError("boom")));
  CHECK(detail["class"] == "rl::Policy");
  CHECK(detail["method"] == "Generate");
  CHECK(detail["rank"] == 2);
  CHECK(detail["group"] == "policy");
  CHECK(detail["place"] == "host7, pid 123");
  CHECK(detail["file"] == "train.cc");
  CHECK(detail["line"] == 78);
}

TEST_CASE("names that JSON has to escape do not break the payload") {
  CallFacts facts = Facts();
  facts.group = "a \"quoted\" group";
  facts.place = "C:\\host";
  facts.file = "a\nb.cc";
  const nlohmann::json detail = DetailOf(Failed(facts, absl::UnknownError("boom")));
  REQUIRE_FALSE(detail.is_discarded());
  CHECK(detail["group"] == facts.group);
  CHECK(detail["place"] == facts.place);
  CHECK(detail["file"] == facts.file);
}

TEST_CASE("the facts come out of the payload as they went in, whatever bytes they have") {
  CallFacts facts = Facts();
  facts.group = "tab\t, bell\a, null";
  facts.group.push_back('\0');
  const absl::Status failed = Failed(facts, absl::UnknownError("boom"));
  const auto told = FactsFromDetail(std::string(*failed.GetPayload(kDetailUrl)));
  REQUIRE(told.has_value());
  CHECK(told->group == facts.group);
  CHECK(told->class_name == "rl::Policy");
  CHECK(told->rank == 2);
  CHECK(told->place == "host7, pid 123");
  CHECK(told->line == 78);
  facts.method = "no \xff UTF-8";
  CHECK(FactsFromDetail(DetailText(facts)).has_value());
  CHECK_FALSE(FactsFromDetail("{").has_value());
  CHECK_FALSE(FactsFromDetail("7").has_value());
}

TEST_CASE("a failure that is passed on keeps the facts of its first cause") {
  const absl::Status first = Failed(Facts(), absl::UnknownError("boom"));
  CallFacts outer = Facts();
  outer.method = "Train";
  outer.rank = 0;
  const absl::Status passed_on = Failed(outer, first);
  CHECK(DetailOf(passed_on)["method"] == "Generate");
  CHECK(DetailOf(passed_on)["rank"] == 2);
  CHECK(std::string(passed_on.message()).rfind("Policy.Train failed on rank 0", 0) == 0);
}

TEST_CASE("what did not fail stays OK") { CHECK(Failed(Facts(), absl::OkStatus()).ok()); }

}  // namespace
}  // namespace twinkle::actor
