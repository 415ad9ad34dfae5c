#include "client/src/private_cluster.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "client/src/service_keeper.h"
#include "runtime/base/clock.h"
#include "runtime/base/end_limits.h"
#include "runtime/base/names.h"
#include "runtime/base/poll_limit.h"
#include "runtime/base/status.h"
#include "runtime/rpc/fd_channel.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/secret.h"

namespace twinkle::internal {
namespace {

namespace fs = std::filesystem;

constexpr int kLinkDescriptor = 3;
// Parts of base::kServicesLimit.
constexpr absl::Duration kKilledLimit = absl::Seconds(1);  // for services that were killed, and what keeps them
constexpr absl::Duration kChildLimit = absl::Seconds(1);   // for the children that services which have ended leave

// The folder with the services: told by TWINKLE_BIN_DIR, else bin/ beside the folder of this library.
absl::StatusOr<std::string> ServicesFolder() {
  std::vector<fs::path> folders;
  if (const char* told = std::getenv("TWINKLE_BIN_DIR"); told != nullptr && *told != '\0') {
    if (::access((fs::path(told) / "twinkle-driver").c_str(), X_OK) == 0) return fs::path(told).string();
    return absl::NotFoundError(absl::StrCat("TWINKLE_BIN_DIR is '", told, "', where no twinkle-driver can be started"));
  }
  Dl_info library{};
  if (::dladdr(reinterpret_cast<const void*>(&ServicesFolder), &library) != 0 && library.dli_fname != nullptr) {
    std::error_code ignored;
    const fs::path beside = fs::canonical(library.dli_fname, ignored).parent_path();
    folders.push_back(beside.parent_path() / "bin");
    folders.push_back(beside.parent_path().parent_path() / "bin");  // lib/x86_64-linux-gnu
    folders.push_back(beside);
  }
  for (const fs::path& folder : folders) {
    if (::access((folder / "twinkle-driver").c_str(), X_OK) == 0) return folder.lexically_normal().string();
  }
  return absl::NotFoundError(
      "a private cluster needs twinkle-driver and twinkle-worker, which are not beside the library: set "
      "TWINKLE_BIN_DIR "
      "to their folder, or TWINKLE_DRIVER to the address of a cluster's driver");
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivateCluster>> PrivateCluster::Start() {
  TWINKLE_ASSIGN_OR_RETURN(const std::string folder, ServicesFolder());
  std::unique_ptr<PrivateCluster> cluster(new PrivateCluster);
  cluster->role_ = {rpc::NewSecret(), rpc::NewSocketName()};
  TWINKLE_RETURN_IF_ERROR(cluster->StartService(folder, "twinkle-driver"));
  TWINKLE_RETURN_IF_ERROR(cluster->StartService(folder, "twinkle-worker"));
  return cluster;
}

absl::Status PrivateCluster::StartService(const std::string& folder, const std::string& name) {
  TWINKLE_ASSIGN_OR_RETURN(auto link, rpc::SocketPair());
  TWINKLE_RETURN_IF_ERROR(rpc::Prepare(link.first.get()));
  std::vector<std::string> words = {name, "--private-fd", std::to_string(kLinkDescriptor)};
  if (name == "twinkle-worker") {  // nobody else wants its slots
    for (const char* word : {"--cpus", "1000000", "--node-name", "local"}) words.emplace_back(word);
  }
  Service service;
  service.name = name;
  TWINKLE_RETURN_IF_ERROR(Launch(absl::StrCat(folder, "/", name), std::move(words), link.second.get(), &service));
  link.second.Reset();
  service.link = std::move(link.first);
  absl::Status sent = rpc::SendRole(service.link.get(), role_);
  services_.push_back(std::move(service));
  // A service that has ended has said why: AwaitReady hears it.
  return absl::IsUnavailable(sent) ? absl::OkStatus() : sent;
}

absl::Status PrivateCluster::Launch(const std::string& path, std::vector<std::string> words, int link,
                                    Service* service) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, link, kLinkDescriptor);
  ::posix_spawn_file_actions_addclosefrom_np(&files, kLinkDescriptor + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const twinkle::internal::Launch launch{path.c_str(), &files, &attributes, arguments.data()};
  const int failed = TakesInOrphans() ? LaunchKept(launch, &service->keeper, &service->starter)
                                      : ::posix_spawn(&service->starter, launch.path, launch.files, launch.attributes,
                                                      launch.arguments, environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (failed == E2BIG) {
    return absl::InvalidArgumentError(absl::StrCat("the program's environment is too large for the system to start ",
                                                   service->name, " with it: unset what is not needed"));
  }
  if (failed != 0) return absl::ErrnoToStatus(failed, absl::StrCat(path, " could not be started"));
  return absl::OkStatus();
}

absl::Status PrivateCluster::CheckAlive() {
  for (Service& service : services_) {
    rpc::Update(service.link.get(), &service.facts);
    if (service.facts.state != rpc::ServiceState::kEnded) continue;
    std::string what = absl::StrCat("the private cluster's ", service.name, " has ended");
    if (service.facts.refuses) absl::StrAppend(&what, ": ", base::PrintableLines(service.facts.reason, "  "));
    return absl::UnavailableError(what);
  }
  return absl::OkStatus();
}

absl::Status PrivateCluster::AwaitReady(base::Instant deadline) {
  while (true) {
    TWINKLE_RETURN_IF_ERROR(CheckAlive());
    std::vector<pollfd> links;
    bool all = true;
    for (const Service& service : services_) {
      if (service.facts.state != rpc::ServiceState::kReady) all = false;
      links.push_back({service.link.get(), POLLIN, 0});
    }
    if (all) {
      ReapStarters(deadline);
      return absl::OkStatus();
    }
    const int left = base::PollLimit(deadline);
    if (left <= 0) return absl::DeadlineExceededError("the private cluster does not serve in time");
    ::poll(links.data(), links.size(), left);
  }
}

void PrivateCluster::ReapStarters(base::Instant deadline) {
  for (Service& service : services_) {
    if (service.keeper != 0 || service.starter == 0) continue;
    AwaitChild(std::exchange(service.starter, 0), deadline);  // unless the program has waited for it
  }
}

PrivateCluster::~PrivateCluster() {
  for (const Service& service : services_) ::shutdown(service.link.get(), SHUT_WR);
  const base::Instant end = base::Now() + base::kServicesLimit;
  AwaitEnd(end - kKilledLimit);
  KillRest(end);
  const base::Instant latest = std::min(end, base::Now() + kChildLimit);
  ReapStarters(latest);
  for (const Service& service : services_) {
    if (service.keeper != 0) AwaitChild(service.keeper, latest);
  }
  rpc::RemovePrivateCluster(records_, program_);  // of a driver that was killed
}

void PrivateCluster::AwaitEnd(base::Instant deadline) {
  for (Service& service : services_) {
    rpc::Update(service.link.get(), &service.facts);
    while (service.facts.state != rpc::ServiceState::kEnded && base::Now() < deadline) {
      pollfd ended{service.link.get(), POLLIN, 0};
      ::poll(&ended, 1, base::PollLimit(deadline));
      rpc::Update(service.link.get(), &service.facts);
    }
  }
}

// A service's link is open as long as it lives: the number that came over it is its own. One that has said nothing yet
// is in the process group that it began in, whose number is no other's as long as it is there. It holds no lock.
void PrivateCluster::KillRest(base::Instant deadline) {
  std::vector<base::Fd> killed;
  for (const Service& service : services_) {
    if (service.facts.state == rpc::ServiceState::kEnded) continue;
    if (service.facts.pid > 0) {
      killed.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, service.facts.pid, 0)));
      ::kill(service.facts.pid, SIGKILL);
    } else if (service.starter > 0) {
      ::kill(-service.starter, SIGKILL);
    }
  }
  AwaitEnd(deadline);
  for (const base::Fd& process : killed) {
    pollfd ended{process.get(), POLLIN, 0};
    if (process.valid()) ::poll(&ended, 1, base::PollLimit(deadline));
  }
}

}  // namespace twinkle::internal
