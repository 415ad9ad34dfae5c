// twinkle-worker: the daemon of one node. Starts worker processes, watches them, ends them.
#include <absl/strings/str_cat.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "runtime/base/bytes_text.h"
#include "runtime/base/clock.h"
#include "runtime/base/end_signals.h"
#include "runtime/base/fd_loop.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/base/service_start.h"
#include "runtime/base/status.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/parent_link.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/ports.h"
#include "runtime/rpc/token.h"
#include "worker/devices.h"
#include "worker/driver_link.h"
#include "worker/node_daemon.h"
#include "worker/output_service.h"
#include "worker/own_children.h"
#include "worker/program_files.h"
#include "worker/rank_cgroups.h"

namespace twinkle::worker {
namespace {

constexpr absl::Duration kReconnectInterval = absl::Seconds(1);
constexpr absl::Duration kAliveInterval = absl::Seconds(4);  // where the driver has no lease
constexpr int kAliveInLease = 5;                             // times that a node speaks in the driver's lease
constexpr absl::Duration kStopLimit = absl::Seconds(2);
constexpr int kEndRounds = 200;
constexpr int kPorts = 32;  // told to the driver, each time anew

struct Options {
  std::string driver;
  std::string token_file = rpc::DefaultTokenFile();
  std::string host;
  std::string node_name = rpc::ThisHost();
  int cpus = std::max(64, 8 * static_cast<int>(std::thread::hardware_concurrency()));
  std::string devices;
  std::string log_folder;
  double start_limit_s = 20;
  std::string object_memory;
  std::string cgroup = "auto";
  int private_fd = -1;
};

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--driver", options.driver, "HOST:PORT of the driver")->envname("TWINKLE_DRIVER");
  app.add_option("--token-file", options.token_file, "File with the cluster's token")
      ->envname("TWINKLE_TOKEN_FILE")
      ->capture_default_str();
  app.add_option("--node-name", options.node_name, "Name of this node, for people")->capture_default_str();
  app.add_option("--host", options.host,
                 "Name or address of this machine as other nodes reach it; without it only programs and processes of "
                 "this machine can be reached")
      ->envname("TWINKLE_HOST");
  app.add_option("--cpus", options.cpus, "Slots for processes of CPU groups")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--devices", options.devices,
                 "TYPE:COUNT, with commas (cuda:8), or none; without it what the machine's drivers tell");
  app.add_option("--log-dir", options.log_folder,
                 "Folder for what worker processes print, a file for each; without it no files are written")
      ->envname("TWINKLE_LOG_DIR");
  app.add_option("--start-limit", options.start_limit_s,
                 "Seconds that a worker process may take to reach twinkle::Initialize")
      ->envname("TWINKLE_START_LIMIT")
      ->check(CLI::PositiveNumber)
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
  app.add_option("--private-fd", options.private_fd)->group("");  // for private clusters
  app.set_config("--config", "", "File with these options, NAME=VALUE a line");
  app.set_version_flag("--version", std::string("twinkle-worker ") + TWINKLE_VERSION);
}

int Fail(const absl::Status& status) {
  std::cerr << "twinkle-worker: " << status.message() << '\n';
  return 1;
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
  for (int port : rpc::FreePorts(kPorts)) node.add_free_ports(port);
  auto devices = options.devices.empty() ? DiscoverDevices() : ParseDevices(options.devices);
  if (!devices.ok()) return devices.status();
  for (const auto& [type, count] : *devices) {
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

// Whoever is not in a private cluster can be reached by others, too.
DriverAccess AccessOf(const Options& options) {
  if (options.private_fd >= 0) return {};
  std::error_code ignored;
  return {options.driver, std::filesystem::absolute(options.token_file, ignored).string()};
}

// Everything that one node's daemon is made of, on one loop.
class Service {
 public:
  Service(const Options& options, std::string driver, std::string token, v1::NodeDescription node, Spawner spawner)
      : is_private_(options.private_fd >= 0),
        node_(std::move(node)),
        driver_(std::move(driver)),
        output_({.folder = options.log_folder}),
        output_service_(token, &output_),
        program_service_(token),
        fetcher_(token, &loop_),
        link_(driver_, std::move(token)),
        daemon_({.node = node_,
                 .driver = driver_,
                 .start_limit = absl::Seconds(options.start_limit_s),
                 .access = AccessOf(options),
                 .object_memory = base::ParseBytes(options.object_memory).value_or(0),
                 .fetch = [this](const v1::FetchProgram& wanted, const std::string& digest, const std::string& from,
                                 ProgramFetcher::Done done) { fetcher_.Fetch(wanted, digest, from, std::move(done)); }},
                std::move(spawner), &loop_, &output_, [this](const absl::Status& why) { OnFatal(why); }) {}

  absl::Status Listen(const std::string& host) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(node_.endpoint().socket(), grpc::InsecureServerCredentials());
    int port = 0;
    if (!host.empty()) builder.AddListeningPort(rpc::JoinHostPort(host, 0), grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&output_service_);
    builder.RegisterService(&program_service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || (!host.empty() && port == 0)) {
      return absl::UnavailableError(absl::StrCat("cannot listen on a port of ", host, ": is it this machine's?"));
    }
    if (!host.empty()) node_.mutable_endpoint()->set_address(rpc::JoinHostPort(host, port));
    return absl::OkStatus();
  }

  int Run(const rpc::ParentLink* parent) {
    const rpc::Fd fd(base::EndSignalFd());
    loop_.Watch(fd.get(), [this, number = fd.get()] {
      loop_.Forget(number);
      Stop();
    });
    if (parent != nullptr) {
      for (const int gone : {parent->fd(), parent->process_fd()}) {
        if (gone >= 0) loop_.Watch(gone, [this] { loop_.Stop(); });  // the spawner ends what there is
      }
    }
    parent_ = parent;
    Connect();
    loop_.Run();
    link_.Cancel();
    server_->Shutdown(rpc::DeadlineIn(absl::ZeroDuration()));
    if (spawner_gone_) {
      // What the spawner had was orphaned to this process: its death has ended the wardens and the worker processes,
      // and what these had started comes here then.
      EndOwnChildren(kEndRounds);
    } else {
      daemon_.EndSpawner();
    }
    return exit_code_;
  }

 private:
  void Connect() {
    daemon_.SetDriver([this](v1::NodeToDriver message) { link_.Send(std::move(message)); });
    link_.Connect(node_,
                  {[this](const v1::DriverToNode& message) { loop_.Post([this, message] { OnMessage(message); }); },
                   [this](const absl::Status& why) { loop_.Post([this, why] { OnDriverGone(why); }); }});
  }

  void OnMessage(const v1::DriverToNode& message) {
    if (!message.has_joined()) return daemon_.OnMessage(message);
    joined_ = true;
    refused_.clear();
    if (const int64_t lease_ms = message.joined().lease_ms(); lease_ms > 0) {
      alive_interval_ = absl::Milliseconds(lease_ms) / kAliveInLease;
    }
    SayAlive(++connection_);
    if (parent_ != nullptr) return parent_->Ready();
    std::cout << "twinkle-worker: node '" << node_.name() << "' has joined the driver at " << driver_ << std::endl;
  }

  // As long as it is this connection.
  void SayAlive(int connection) {
    if (connection != connection_ || !joined_) return;
    v1::NodeToDriver alive;
    for (int port : rpc::FreePorts(kPorts)) alive.mutable_alive()->add_free_ports(port);
    link_.Send(std::move(alive));
    loop_.PostAfter(alive_interval_, [this, connection] { SayAlive(connection); });
  }

  void OnDriverGone(const absl::Status& why) {
    if (stopping_) return;
    daemon_.EndAllJobs();
    if (absl::IsUnauthenticated(why) || absl::IsInvalidArgument(why) || is_private_) {
      if (!is_private_) Fail(why);
      exit_code_ = 1;
      return loop_.Stop();
    }
    if (std::exchange(joined_, false)) {
      std::cerr << "twinkle-worker: the driver at " << driver_ << " is gone (" << why.message()
                << "): its jobs are ended here; waiting for it to come back\n";
    }
    if (refused_ != why.message() && (absl::IsAlreadyExists(why) || absl::IsResourceExhausted(why))) {
      refused_ = std::string(why.message());
      std::cerr << "twinkle-worker: " << base::PrintableLines(refused_, "  ") << "; it goes on trying\n";
    }
    loop_.PostAfter(kReconnectInterval, [this] {
      if (!stopping_) Connect();
    });
  }

  void OnFatal(const absl::Status& why) {
    Fail(why);
    spawner_gone_ = true;
    exit_code_ = 1;
    daemon_.KillAll();
    loop_.Stop();
  }

  void Stop() {
    stopping_ = true;
    daemon_.EndAllJobs();
    deadline_ = base::Now() + kStopLimit;
    StopWhenIdle();
  }
  void StopWhenIdle() {
    if (daemon_.idle() || base::Now() >= deadline_) return loop_.Stop();
    loop_.PostAfter(absl::Milliseconds(5), [this] { StopWhenIdle(); });
  }

  const bool is_private_;
  v1::NodeDescription node_;
  const std::string driver_;
  base::FdLoop loop_;
  OutputStore output_;
  OutputService output_service_;
  ProgramService program_service_;
  ProgramFetcher fetcher_;
  std::unique_ptr<grpc::Server> server_;
  DriverLink link_;
  NodeDaemon daemon_;
  const rpc::ParentLink* parent_ = nullptr;
  bool joined_ = false;
  std::string refused_;  // why the driver does not let it in: said once
  absl::Duration alive_interval_ = kAliveInterval;
  int connection_ = 0;
  bool stopping_ = false;
  bool spawner_gone_ = false;
  base::Instant deadline_;
  int exit_code_ = 0;
};

// `parent`: of a private daemon; else null.
int Serve(Options options, const rpc::ParentLink* parent, Spawner spawner) {
  std::string token;
  if (parent != nullptr) {
    token = parent->role().token;
    options.driver = parent->role().target;
  } else {
    if (options.driver.empty()) {
      return Fail(absl::InvalidArgumentError("which driver? give --driver HOST:PORT, or set TWINKLE_DRIVER"));
    }
    const auto driver = rpc::ParseHostPort(options.driver, "--driver");
    if (!driver.ok()) return Fail(driver.status());
    absl::StatusOr<std::string> read = rpc::ReadToken(options.token_file);
    if (!read.ok()) return Fail(read.status());
    token = *std::move(read);
  }
  const absl::StatusOr<v1::NodeDescription> node = Describe(options);
  if (!node.ok()) return Fail(node.status());
  Service service(options, options.driver, std::move(token), *node, std::move(spawner));
  if (const absl::Status listens = service.Listen(options.host); !listens.ok()) return Fail(listens);
  return service.Run(parent);
}

}  // namespace
}  // namespace twinkle::worker

int main(int argc, char** argv) {
  const rlimit open_files = twinkle::base::BeginService();
  twinkle::worker::Options options;
  CLI::App app("The daemon of one node of a Twinkle cluster: starts worker processes, watches them, ends them.");
  twinkle::worker::AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  std::unique_ptr<twinkle::rpc::ParentLink> parent;
  if (options.private_fd >= 0) {
    auto link = twinkle::rpc::ParentLink::Open(options.private_fd);  // before the spawner: in another process
    if (!link.ok()) return twinkle::worker::Fail(link.status());
    parent = std::make_unique<twinkle::rpc::ParentLink>(*std::move(link));
  }
  auto spawner = twinkle::worker::StartSpawner({open_files, twinkle::worker::CgroupOf(options)});  // before any thread
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (!spawner.ok()) return twinkle::worker::Fail(spawner.status());
  return twinkle::worker::Serve(options, parent.get(), *std::move(spawner));
}
