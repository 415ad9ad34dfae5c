#include "runtime/actor/in_process_directory.h"

#include <absl/strings/match.h>

#include <string>
#include <utility>
#include <vector>

#include "runtime/actor/groups.h"
#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

std::vector<GroupInfo> TwoGroups() {
  DeviceGroup policy;
  policy.name = "policy";
  policy.ranks = 2;
  DeviceGroup loader;
  loader.name = "loader";
  loader.device_type = "cpu";
  return *LayOutGroups({policy, loader}, 1);
}

ComponentInfo Component(const std::string& name, const std::string& class_name = "Policy",
                        const std::string& group = "policy") {
  ComponentInfo info;
  info.name = name;
  info.class_name = class_name;
  info.group = group;
  info.workers = {1, 2};
  return info;
}

struct Fixture {
  InProcessDirectory directory{TwoGroups()};
  bool existed = false;
  absl::StatusOr<ComponentInfo> Add(ComponentInfo info, const std::string& instance = "") {
    return directory.AddComponent(std::move(info), instance, &existed);
  }
};

TEST_CASE("groups are found by name; an unknown one is told which there are") {
  Fixture f;
  CHECK(f.directory.FindGroup("loader")->workers == std::vector<rpc::ProcessId>{3});
  const absl::Status unknown = f.directory.FindGroup("polcy").status();
  CHECK(absl::IsInvalidArgument(unknown));
  CHECK(absl::StrContains(unknown.message(), "no group 'polcy'; the session's groups are: policy, loader"));
  InProcessDirectory none({});
  CHECK(absl::StrContains(none.FindGroup("a").status().message(), "groups are: none"));
}

TEST_CASE("components get ids of their own, never 0 and never again") {
  Fixture f;
  const uint64_t first = f.Add(Component("a"))->id;
  CHECK(first != 0);
  f.directory.RemoveComponent(first);
  const uint64_t second = f.Add(Component("a"))->id;
  CHECK(second != first);
  CHECK(f.directory.Components().size() == 1);
}

TEST_CASE("a component without a shared lane orders its calls among its own workers") {
  Fixture f;
  const ComponentInfo alone = *f.Add(Component(""));
  CHECK(alone.domain == alone.id);
  CHECK(alone.domain_workers == std::vector<rpc::ProcessId>{1, 2});
  ComponentInfo shared = Component("");
  shared.shared_lane = true;
  shared.domain = 99;
  shared.domain_workers = {1, 2, 7};
  const ComponentInfo added = *f.Add(shared);
  CHECK(added.domain == 99);
  CHECK(added.domain_workers.size() == 3);
}

TEST_CASE("named components are found as long as they live; a name can be used again after that") {
  Fixture f;
  const uint64_t id = f.Add(Component("a"))->id;
  f.Add(Component("")).IgnoreError();
  CHECK(f.directory.FindComponent("a")->id == id);
  CHECK(absl::IsNotFound(f.directory.FindComponent("b").status()));
  CHECK(absl::IsNotFound(f.directory.FindComponent("").status()));
  const absl::Status taken = f.Add(Component("a", "Other")).status();
  CHECK(absl::IsAlreadyExists(taken));
  CHECK(absl::StrContains(taken.message(), "'a'"));
  f.directory.RemoveComponent(id);
  CHECK(absl::IsNotFound(f.directory.FindComponent("a").status()));
  CHECK(f.Add(Component("a")).ok());
}

TEST_CASE("any number of components may go without a name") {
  Fixture f;
  CHECK(f.Add(Component("")).ok());
  CHECK(f.Add(Component("")).ok());
}

TEST_CASE("the instance id of a live component gives that component") {
  Fixture f;
  const uint64_t id = f.Add(Component("a"), "one")->id;
  CHECK_FALSE(f.existed);
  CHECK(f.Add(Component("another name"), "one")->id == id);
  CHECK(f.existed);
  CHECK(f.Add(Component(""), "two")->id != id);
  CHECK_FALSE(f.existed);
}

TEST_CASE("an instance id belongs to one class and group") {
  Fixture f;
  f.Add(Component("a"), "one").IgnoreError();
  const absl::Status other_class = f.Add(Component("", "Loader"), "one").status();
  CHECK(absl::IsInvalidArgument(other_class));
  CHECK(absl::StrContains(other_class.message(), "'one' is a Policy in group 'policy'"));
  CHECK(absl::IsInvalidArgument(f.Add(Component("", "Policy", "loader"), "one").status()));
}

TEST_CASE("an instance id is free again when its component is gone") {
  Fixture f;
  const uint64_t id = f.Add(Component("a"), "one")->id;
  f.directory.RemoveComponent(id);
  CHECK(f.Add(Component("b", "Loader"), "one")->id != id);
  CHECK_FALSE(f.existed);
}

TEST_CASE("a component's rendezvous is the same for all who ask, and its own") {
  Fixture f;
  const std::string address = *f.directory.Rendezvous(1);
  CHECK(absl::StartsWith(address, "127.0.0.1:"));
  CHECK(*f.directory.Rendezvous(1) == address);
}

}  // namespace
}  // namespace twinkle::actor
