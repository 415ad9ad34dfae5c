// Who has a name already, and who is meant by an instance id.
#include "runtime/base/component_names.h"

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

ComponentNames::Names PolicyNamed(const std::string& name, const std::string& instance_id = "", uint64_t job = 7) {
  return {job, name, instance_id, "Policy", "pool"};
}

TEST_CASE("a name is one component's, of all jobs, until that goes") {
  ComponentNames names;
  CHECK(names.Check(PolicyNamed("policy")).value() == std::nullopt);
  names.Add(1, PolicyNamed("policy"));
  CHECK(names.Named("policy") == 1);
  CHECK(names.Check(PolicyNamed("policy")).status() ==
        absl::AlreadyExistsError("there is a component named 'policy' already"));
  CHECK(names.Check(PolicyNamed("policy", "", 8)).status() ==
        absl::AlreadyExistsError("there is a component named 'policy' already (of job 7)"));
  names.Remove(1);
  CHECK(names.Named("policy") == std::nullopt);
  CHECK(names.Check(PolicyNamed("policy", "", 8)).value() == std::nullopt);
}

TEST_CASE("components without a name are many, and none of them is found") {
  ComponentNames names;
  names.Add(1, PolicyNamed(""));
  CHECK(names.Check(PolicyNamed("")).value() == std::nullopt);
  names.Add(2, PolicyNamed(""));
  CHECK(names.Named("") == std::nullopt);
  names.Remove(1);
  names.Remove(1);
}

TEST_CASE("by an instance id the live component of its job is meant") {
  ComponentNames names;
  names.Add(1, PolicyNamed("policy", "first"));
  CHECK(names.Check(PolicyNamed("policy", "first")).value() == 1);
  CHECK(names.Check(PolicyNamed("", "first")).value() == 1);
  CHECK(names.Check(PolicyNamed("", "first", 8)).value() == std::nullopt);
  names.Remove(1);
  CHECK(names.Check(PolicyNamed("policy", "first")).value() == std::nullopt);
}

TEST_CASE("an instance id is of one class and group") {
  ComponentNames names;
  names.Add(1, PolicyNamed("", "first"));
  const absl::Status refused = absl::InvalidArgumentError(
      "instance_id 'first' is a Policy in group 'pool', and of one class and group only: give this component another, "
      "or release that one");
  CHECK(names.Check({7, "", "first", "Reward", "pool"}).status() == refused);
  CHECK(names.Check({7, "", "first", "Policy", "others"}).status() == refused);
}

}  // namespace
}  // namespace twinkle::base
