// twinkle-worker: the daemon of one node. Starts worker processes, watches them, ends them.
#include <absl/strings/str_cat.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "runtime/base/bytes_text.h"
#include "runtime/base/command_line.h"
#include "runtime/base/descriptor_table.h"
#include "runtime/base/end_signals.h"
#include "runtime/base/names.h"
#include "runtime/base/options_file.h"
#include "runtime/base/service_start.h"
#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/parent_link.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/ports.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/token.h"
#include "runtime/rpc/wire_limits.h"
#include "worker/devices.h"
#include "worker/environment.h"
#include "worker/log_files.h"
#include "worker/node_service.h"
#include "worker/rank_cgroups.h"
#include "worker/spawner.h"

namespace twinkle::worker {
namespace {

struct Options {
  std::string driver;
  std::string token_file = rpc::DefaultTokenFile();
  std::string host;
  std::string node_name = rpc::ThisHost();
  int cpus = std::max(64, 8 * static_cast<int>(std::thread::hardware_concurrency()));
  std::string devices;
  std::string log_folder;
  double start_limit_s = 20;
  double stopped_limit_s = 3600;  // 0: no limit
  std::string object_memory;
  std::string cgroup = "auto";
  bool allow_root = false;
  std::string wire_limits;  // format: rpc::ParseWireLimits
  int private_fd = -1;
};

void AddOptions(CLI::App& app, Options& options) {
  // For private clusters. It is read first, because errors of the other options are reported there.
  app.add_option("--private-fd", options.private_fd)->group("");
  app.add_option("--driver", options.driver, "HOST:PORT of the driver")
      ->envname("TWINKLE_DRIVER")
      ->check(
          [](const std::string& text) { return std::string(rpc::ParseHostPort(text, "a driver").status().message()); });
  app.add_option("--token-file", options.token_file, "File with the cluster's token")
      ->envname("TWINKLE_TOKEN_FILE")
      ->capture_default_str();
  app.add_option("--node-name", options.node_name, "Name of this node, for people")
      ->check([](const std::string& text) { return std::string(base::CheckName("it", text).message()); })
      ->capture_default_str();
  app.add_option("--host", options.host,
                 "Name or address of this machine as other nodes reach it; without it only programs and processes of "
                 "this machine can be reached")
      ->envname("TWINKLE_HOST")
      ->check([](const std::string& text) {
        return std::string(text.empty() ? "is a name or an address of this machine, or is left out; not ''" : "");
      });
  app.add_option("--cpus", options.cpus, "Slots for processes of CPU groups")
      ->check(base::CountFrom(0))
      ->capture_default_str();
  app.add_option("--devices", options.devices,
                 "TYPE:COUNT, with commas (cuda:8), or none; without it what the machine's drivers tell")
      ->envname("TWINKLE_DEVICES")
      ->check([](const std::string& text) { return std::string(ParseDevices(text).status().message()); });
  app.add_option("--log-dir", options.log_folder,
                 "Folder for what worker processes print, a file for each; without it no files are written")
      ->envname("TWINKLE_LOG_DIR");
  app.add_option("--start-limit", options.start_limit_s,
                 "Seconds that a worker process may take to reach twinkle::Initialize")
      ->envname("TWINKLE_START_LIMIT")
      ->check(base::NumberFrom(0, true))
      ->capture_default_str();
  app.add_option("--stopped-limit", options.stopped_limit_s,
                 "Seconds that a worker process may be stopped, by a signal or a debugger, before it is ended; 0: no "
                 "limit")
      ->envname("TWINKLE_STOPPED_LIMIT")
      ->check(base::NumberFrom(0))
      ->capture_default_str();
  app.add_option("--object-memory", options.object_memory,
                 "Memory for the results that each worker process keeps (4G); what is above goes to the folder "
                 "TWINKLE_SPILL_DIR; without it half of the machine's memory, shared by a job's processes on it")
      ->envname("TWINKLE_OBJECT_MEMORY")
      ->check([](const std::string& text) { return std::string(base::ParseBytes(text).status().message()); });
  app.add_option("--cgroup", options.cgroup,
                 "Folder of a control group (version 2) in which each worker process gets a group of its own; auto: "
                 "this process's, where it is delegated; none")
      ->envname("TWINKLE_CGROUP")
      ->capture_default_str();
  app.add_flag("--allow-root", options.allow_root,
               "Run as root, and worker processes with it, in a cluster of several machines (a container)")
      ->envname("TWINKLE_ALLOW_ROOT");
  app.add_option("--wire-limits", options.wire_limits,
                 "ASK,ANSWER,REDIAL in seconds: after how long without a word another machine is asked, how long it "
                 "may take to answer; the third is for programs and their processes")
      ->envname("TWINKLE_WIRE_LIMITS")
      ->check([](const std::string& text) { return std::string(rpc::ParseWireLimits(text).status().message()); });
  base::AddOptionsFile(app);
  app.set_version_flag("--version",
                       absl::StrCat("twinkle-worker ", TWINKLE_VERSION, " (protocol ", rpc::kProtocol, ")"));
}

// Reports to the program to which a private daemon belongs.
void TellProgram(const Options& options, absl::string_view why) {
  if (options.private_fd >= 0) rpc::ParentLink::Refuse(options.private_fd, why);
}

int Fail(const Options& options, const absl::Status& status) {
  TellProgram(options, status.message());
  std::cerr << "twinkle-worker: " << base::PrintableLines(status.message(), "  ") << '\n';
  return 1;
}

// Checks what depends on several options together, or on the machine.
absl::Status Check(const Options& options) {
  if (options.private_fd < 0 && options.driver.empty()) {
    return absl::InvalidArgumentError("which driver? give --driver HOST:PORT, or set TWINKLE_DRIVER");
  }
  if (options.cgroup != "auto" && options.cgroup != "none") {
    TWINKLE_RETURN_IF_ERROR(base::Annotate(CheckCgroup(options.cgroup), "--cgroup"));
  }
  if (options.log_folder.empty()) return absl::OkStatus();
  return base::Annotate(CheckLogFolder(options.log_folder), "--log-dir");
}

// The devices that this process may see, restricted by its environment.
absl::StatusOr<std::map<std::string, int>> DevicesOf(const Options& options) {
  auto devices = options.devices.empty() ? DiscoverDevices() : ParseDevices(options.devices);
  if (!devices.ok()) return devices.status();
  for (auto& [type, count] : *devices) {
    const auto in_view = DevicesInView(type);
    if (!in_view || count <= static_cast<int>(in_view->size())) continue;
    // A private cluster that a rank without devices starts has no devices, whatever the environment says.
    const bool of_rank = in_view->empty() && options.private_fd >= 0;
    if (!options.devices.empty() && !of_rank) {
      return absl::InvalidArgumentError(absl::StrCat("--devices says ", type, ":", count, ", and ",
                                                     DeviceVariable(type), " shows ", in_view->size(),
                                                     " of them: unset that, or say ", type, ":", in_view->size()));
    }
    count = static_cast<int>(in_view->size());
  }
  return devices;
}

absl::StatusOr<v1::NodeDescription> Describe(const Options& options) {
  v1::NodeDescription node;
  TWINKLE_RETURN_IF_ERROR(base::CheckName("--node-name", options.node_name));
  node.set_name(options.node_name);
  node.mutable_place()->set_machine(rpc::ThisMachine());
  node.mutable_place()->set_host(rpc::ThisHost());
  node.mutable_place()->set_node(options.node_name);
  node.mutable_place()->set_pid(::getpid());
  node.mutable_place()->set_pids(rpc::ThisPids());
  node.set_cpu_slots(options.cpus);
  node.set_version(TWINKLE_VERSION);
  for (int port : rpc::FreePorts(kPortsTold)) node.add_free_ports(port);
  TWINKLE_ASSIGN_OR_RETURN(const auto devices, DevicesOf(options));
  for (const auto& [type, count] : devices) {
    TWINKLE_RETURN_IF_ERROR(base::CheckName("the type of devices", type));
    (*node.mutable_devices())[type] = count;
  }
  node.mutable_endpoint()->set_socket(rpc::NewSocketName());
  return node;
}

std::string CgroupOf(const Options& options) {
  if (options.cgroup == "auto") return DelegatedCgroup();
  return options.cgroup == "none" ? "" : options.cgroup;
}

// Only nodes outside private clusters can be reached by other programs.
DriverAccess AccessOf(const Options& options) {
  if (options.private_fd >= 0) return {};
  std::error_code ignored;
  return {options.driver, std::filesystem::absolute(options.token_file, ignored).string()};
}

// Whether programs of other machines are refused. Whoever has the cluster's token can start worker processes here, as
// the daemon's user. A daemon that is root refuses that to other machines: here, if it can be reached from them;
// otherwise when the driver, which they may reach, asks for their processes.
bool OwnMachineAlone(const Options& options) {
  return ::geteuid() == 0 && !options.allow_root && options.private_fd < 0;
}

absl::Status CheckUser(const Options& options, const rpc::HostPort& driver) {
  const bool alone = rpc::IsLoopback(driver.host) && (options.host.empty() || rpc::IsLoopback(options.host));
  if (alone || !OwnMachineAlone(options)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "this is root, and so would be all that programs of other machines start here: run it as another user, or say "
      "--allow-root (TWINKLE_ALLOW_ROOT=1) where root is not the machine's (a container)");
}

// Runs the daemon. `parent`: of a private daemon; else null.
int Serve(Options options, const rpc::ParentLink* parent, Spawner spawner) {
  std::string token;
  if (parent != nullptr) {
    token = parent->role().token;
    options.driver = parent->role().target;
    options.host.clear();  // the environment may set it, but a private cluster is for its machine alone
  } else {
    const auto driver = rpc::ParseHostPort(options.driver, "--driver");
    if (!driver.ok()) return Fail(options, driver.status());
    if (const absl::Status refused = CheckUser(options, *driver); !refused.ok()) return Fail(options, refused);
    const base::EndSignalsEnd may_hang;  // on the disk
    absl::StatusOr<std::string> read = rpc::ReadToken(options.token_file);
    if (!read.ok()) return Fail(options, read.status());
    token = *std::move(read);
  }
  const absl::StatusOr<v1::NodeDescription> node = Describe(options);
  if (!node.ok()) return Fail(options, node.status());
  const absl::StatusOr<rpc::WireLimits> wires = rpc::ParseWireLimits(options.wire_limits);
  if (!wires.ok()) return Fail(options, wires.status());
  if (const absl::Status threads = base::TryThreads(1); !threads.ok()) return Fail(options, threads);
  NodeService service(
      {.driver = options.driver,
       .token = std::move(token),
       .access = AccessOf(options),
       .host = options.host,
       .own_machine_alone = OwnMachineAlone(options),
       .log_folder = options.log_folder,
       .start_limit = absl::Seconds(options.start_limit_s),
       .stopped_limit = options.stopped_limit_s > 0 ? absl::Seconds(options.stopped_limit_s) : absl::InfiniteDuration(),
       .object_memory = base::ParseBytes(options.object_memory).value_or(0),
       .keep_alive = wires->services,
       .node = *node},
      std::move(spawner));
  if (const absl::Status listens = service.Listen(); !listens.ok()) return Fail(options, listens);
  return service.Run(parent);
}

}  // namespace
}  // namespace twinkle::worker

int main(int argc, char** argv) {
  const rlimit open_files = twinkle::base::BeginService();
  twinkle::worker::Options options;
  CLI::App app("The daemon of one node of a Twinkle cluster: starts worker processes, watches them, ends them.",
               "twinkle-worker");
  twinkle::worker::AddOptions(app, options);
  const auto tell = [&](const std::string& sentence) {
    twinkle::worker::TellProgram(options, sentence);
    return sentence;
  };
  if (const auto wrong = twinkle::base::ParseCommandLine(app, argc, argv, tell)) return *wrong;
  if (const absl::Status bad = twinkle::worker::Check(options); !bad.ok()) {
    tell(std::string(bad.message()));
    return twinkle::base::ReportWrongArguments(app, std::string(bad.message()));
  }
  if (const absl::Status able = twinkle::base::CheckProcess(); !able.ok()) return twinkle::worker::Fail(options, able);
  std::unique_ptr<twinkle::rpc::ParentLink> parent;
  if (options.private_fd >= 0) {
    auto link = twinkle::rpc::ParentLink::Open(options.private_fd);  // before the spawner, which is another process
    if (!link.ok()) return twinkle::worker::Fail(options, link.status());
    parent = std::make_unique<twinkle::rpc::ParentLink>(*std::move(link));
  }
  auto spawner = twinkle::worker::StartSpawner({open_files, twinkle::worker::CgroupOf(options)});  // before any thread
  twinkle::base::WidenDescriptorTable();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (!spawner.ok()) return twinkle::worker::Fail(options, spawner.status());
  return twinkle::worker::Serve(options, parent.get(), *std::move(spawner));
}
