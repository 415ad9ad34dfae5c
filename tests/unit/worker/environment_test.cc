#include "worker/environment.h"

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "worker/devices.h"

namespace twinkle::worker {
namespace {

std::map<std::string, std::string> VariablesOf(const v1::StartJob& job, const v1::Process& process) {
  v1::NodeDescription node;
  node.set_name("node-1");
  std::map<std::string, std::string> variables;
  for (const std::string& variable : EnvironmentOf(job, process, node)) {
    const size_t equals = variable.find('=');
    variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return variables;
}

v1::StartJob JobWith(const std::string& device_type) {
  v1::StartJob job;
  job.set_job(7);
  job.set_node_rank(1);
  for (const char* variable : {"HOME=/home/user", "EMPTY=", "SSH_CONNECTION=1 2 3", "DISPLAY=:0", "RANK=99",
                               "TWINKLE_TOKEN_FILE=/secret", "WITH_EQUALS=a=b"}) {
    job.mutable_program()->add_environment(variable);
  }
  v1::GroupLayout& group = *job.add_groups();
  group.set_name("policy");
  group.set_device_type(device_type);
  group.set_rendezvous("gpu-1:29500");
  (*job.mutable_world_sizes())["policy"] = 4;
  for (int rank = 2; rank < 4; ++rank) {
    v1::Process& process = *job.add_processes();
    process.set_group("policy");
    process.set_rank(rank);
    process.set_local_rank(rank - 2);
    process.add_local_devices(2 * rank);
    process.add_local_devices(2 * rank + 1);
  }
  return job;
}

TEST_CASE("a rank finds where it stands, and the program's variables less what belongs to its machine") {
  const v1::StartJob job = JobWith("cuda");
  auto variables = VariablesOf(job, job.processes(1));
  CHECK(variables["HOME"] == "/home/user");
  CHECK(variables["WITH_EQUALS"] == "a=b");
  CHECK(variables.count("EMPTY") == 1);
  for (const char* name : {"SSH_CONNECTION", "DISPLAY", "TWINKLE_TOKEN_FILE"}) CHECK(variables.count(name) == 0);
  const std::map<std::string, std::string> expected = {{"RANK", "3"},
                                                       {"WORLD_SIZE", "4"},
                                                       {"LOCAL_RANK", "1"},
                                                       {"LOCAL_WORLD_SIZE", "2"},
                                                       {"NODE_RANK", "1"},
                                                       {"MASTER_ADDR", "gpu-1"},
                                                       {"MASTER_PORT", "29500"},
                                                       {"CUDA_VISIBLE_DEVICES", "4,6,5,7"},
                                                       {"TWINKLE_JOB", "7"},
                                                       {"TWINKLE_GROUP", "policy"},
                                                       {"TWINKLE_NODE", "node-1"},
                                                       {"WORKER_NAME", "policy-3"}};
  for (const auto& [name, value] : expected) {
    CAPTURE(name);
    CHECK(variables[name] == value);
  }
}

TEST_CASE("a rank whose program names a driver reaches it as its node does") {
  v1::StartJob job = JobWith("cpu");
  v1::NodeDescription node;
  const DriverAccess access{"driver-1:50050", "/node/token"};
  const auto lines_of = [&](const DriverAccess& driver) {
    std::string lines;
    for (const std::string& line : EnvironmentOf(job, job.processes(0), node, 0, driver)) lines += line + "\n";
    return lines;
  };
  using Catch::Matchers::ContainsSubstring;
  CHECK_THAT(lines_of(access), !ContainsSubstring("TWINKLE_DRIVER") && !ContainsSubstring("TWINKLE_TOKEN_FILE"));
  job.mutable_program()->add_environment("TWINKLE_DRIVER=localhost:50050");
  CHECK_THAT(lines_of(access), ContainsSubstring("\nTWINKLE_DRIVER=driver-1:50050\n") &&
                                   ContainsSubstring("\nTWINKLE_TOKEN_FILE=/node/token\n"));
  CHECK_THAT(lines_of({}), !ContainsSubstring("TWINKLE_DRIVER") && !ContainsSubstring("TWINKLE_TOKEN_FILE"));
}

TEST_CASE("each device type has its variable; a CPU group's ranks see no device") {
  CHECK(DeviceVariable("cuda") == "CUDA_VISIBLE_DEVICES");
  CHECK(DeviceVariable("npu") == "ASCEND_RT_VISIBLE_DEVICES");
  CHECK(DeviceVariable("tpu") == "TPU_VISIBLE_DEVICES");
  v1::StartJob job = JobWith("cpu");
  for (v1::Process& process : *job.mutable_processes()) process.clear_local_devices();
  auto variables = VariablesOf(job, job.processes(0));
  REQUIRE(variables.count("CUDA_VISIBLE_DEVICES") == 1);
  CHECK(variables["CUDA_VISIBLE_DEVICES"].empty());
}

TEST_CASE("a rank sees all devices of its job on the node, and number LOCAL_RANK is its own") {
  v1::StartJob job = JobWith("cuda");
  v1::GroupLayout& sampler = *job.add_groups();
  sampler.set_name("sampler");
  sampler.set_device_type("cuda");
  for (int rank = 0; rank < 3; ++rank) {
    v1::Process& process = *job.add_processes();
    process.set_group("sampler");
    process.set_rank(rank);
    process.set_local_rank(rank);
    process.add_local_devices(2 - rank);  // listed in another order than the node's
  }
  for (const v1::Process& process : job.processes()) {
    CAPTURE(process.group(), process.rank());
    const std::vector<int> devices = VisibleTo(job, process);
    CHECK(std::set<int>(devices.begin(), devices.end()) == std::set<int>{0, 1, 2, 4, 5, 6, 7});
    CHECK(devices[static_cast<size_t>(process.local_rank())] == process.local_devices(0));
  }
}

TEST_CASE("devices that two groups share are seen once; another type's are not seen") {
  v1::StartJob job = JobWith("cuda");
  for (const char* type : {"cuda", "npu"}) {
    v1::GroupLayout& other = *job.add_groups();
    other.set_name(type);
    other.set_device_type(type);
    v1::Process& process = *job.add_processes();
    process.set_group(type);
    process.add_local_devices(4);
  }
  CHECK(VisibleTo(job, job.processes(0)) == std::vector<int>{4, 6, 5, 7});
  CHECK(VisibleTo(job, job.processes(2)) == std::vector<int>{4, 5, 6, 7});
  CHECK(VisibleTo(job, job.processes(3)) == std::vector<int>{4});
}

TEST_CASE("a group whose ranks see their own devices alone has LOCAL_RANK 0 everywhere") {
  v1::StartJob job = JobWith("cuda");
  job.mutable_groups(0)->set_own_devices(true);
  auto variables = VariablesOf(job, job.processes(1));
  CHECK(variables["CUDA_VISIBLE_DEVICES"] == "6,7");
  CHECK(variables["LOCAL_RANK"] == "0");
  CHECK(variables["LOCAL_WORLD_SIZE"] == "1");
  CHECK(variables["RANK"] == "3");
}

TEST_CASE("a rendezvous at an address with colons has its brackets in no variable") {
  v1::StartJob job = JobWith("cuda");
  job.mutable_groups(0)->set_rendezvous("[::1]:29500");
  auto variables = VariablesOf(job, job.processes(1));
  CHECK(variables["MASTER_ADDR"] == "::1");
  CHECK(variables["MASTER_PORT"] == "29500");
}

TEST_CASE("devices are given as types and counts") {
  CHECK(*ParseDevices("cuda:8") == std::map<std::string, int>{{"cuda", 8}});
  CHECK(*ParseDevices("cuda:4,npu:2") == std::map<std::string, int>{{"cuda", 4}, {"npu", 2}});
  CHECK(ParseDevices("none")->empty());
  for (const char* bad : {"", "cuda", "cuda:", "cuda:x", ":4", "cuda:-1", "cuda:1:2", "cuda:99999999", "cpu:2",
                          "cu da:2", "cuda:1, npu:1"}) {
    CAPTURE(bad);
    CHECK(absl::IsInvalidArgument(ParseDevices(bad).status()));
  }
}

TEST_CASE("ranks are given the devices that their daemon may see, by its names for them") {
  const v1::StartJob job = JobWith("npu");
  ::setenv("ASCEND_RT_VISIBLE_DEVICES", "9, 8,NPU-7,6,5,4", 1);
  CHECK(DevicesInView("npu")->size() == 6);
  CHECK(VariablesOf(job, job.processes(0))["ASCEND_RT_VISIBLE_DEVICES"] == "5,6,4,7");
  ::setenv("ASCEND_RT_VISIBLE_DEVICES", "3,-1,2", 1);
  CHECK(*DevicesInView("npu") == std::vector<std::string>{"3"});
  ::setenv("ASCEND_RT_VISIBLE_DEVICES", "", 1);
  CHECK(DevicesInView("npu")->empty());
  ::unsetenv("ASCEND_RT_VISIBLE_DEVICES");
  CHECK_FALSE(DevicesInView("npu").has_value());
}

}  // namespace
}  // namespace twinkle::worker
