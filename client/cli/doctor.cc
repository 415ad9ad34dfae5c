#include "client/cli/doctor.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "client/cli/cluster_client.h"
#include "client/cli/file_findings.h"
#include "client/cli/rank_limits.h"
#include "runtime/base/memory_limit.h"
#include "runtime/base/shortage.h"
#include "runtime/device/nvml.h"
#include "runtime/object/spill_folder.h"
#include "runtime/rpc/place.h"
#include "runtime/rpc/ports.h"

namespace twinkle::cli {
namespace {

using Level = Finding::Level;

std::string Gigabytes(double bytes) { return absl::StrFormat("%.1f GiB", bytes / (1 << 30)); }

// Whether a driver lets in only who shows the cluster's token; a private cluster's does not.
bool AsksForToken(const std::string& driver) { return !driver.empty() && !absl::StartsWith(driver, kPrivateCluster); }

Finding CheckDriver(const std::string& driver, const std::string& token_file) {
  if (driver.empty()) {
    return {Level::kNote, "driver", "not asked: no --driver and no TWINKLE_DRIVER; programs start a private cluster"};
  }
  const auto client = ClusterClient::Open(driver, token_file);
  if (!client.ok()) return {Level::kBad, "driver", std::string(client.status().message())};
  const auto status = (*client)->Status();
  if (!status.ok()) return {Level::kBad, "driver", std::string(status.status().message())};
  return {Level::kFine, "driver",
          absl::StrCat(driver, " answers, version ", status->version(), ", ", status->nodes_size(), " nodes")};
}

Finding CheckPorts() {
  const std::vector<int> ports = rpc::FreePorts(1);
  if (ports.empty()) return {Level::kBad, "ports", "no TCP port can be opened"};
  return {Level::kFine, "ports", absl::StrCat("TCP ports can be opened (", ports[0], " was free)")};
}

Finding CheckHostName() {
  const std::string host = rpc::ThisHost();
  addrinfo* addresses = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, nullptr, &addresses);
  if (addresses != nullptr) ::freeaddrinfo(addresses);
  if (failed == 0) return {Level::kFine, "host name", absl::StrCat(host, " resolves")};
  return {Level::kNote, "host name",
          absl::StrCat(host, " does not resolve (", ::gai_strerror(failed),
                       "): start twinkle-worker with --host ADDRESS for a cluster of several machines")};
}

Finding CheckMemory() {
  const auto limit = static_cast<double>(base::MemoryLimit("/proc/self/cgroup", "/sys/fs/cgroup"));
  const double machine = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (limit >= machine) return {Level::kFine, "memory", absl::StrCat(Gigabytes(machine), ", no limit")};
  return {Level::kNote, "memory",
          absl::StrCat(Gigabytes(limit), " of the machine's ", Gigabytes(machine),
                       ": beyond that the kernel kills worker processes")};
}

Finding CheckSharedMemory() {
  const int fd = static_cast<int>(::syscall(SYS_memfd_create, "twinkle-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (fd < 0) return {Level::kBad, "shared memory", absl::StrCat("memfd_create: ", std::strerror(errno))};
  ::close(fd);
  struct statvfs facts {};
  const bool known = ::statvfs("/dev/shm", &facts) == 0;
  const double size = static_cast<double>(facts.f_blocks) * static_cast<double>(facts.f_frsize);
  return {Level::kFine, "shared memory",
          absl::StrCat("sealed memory files work", known ? absl::StrCat("; /dev/shm has ", Gigabytes(size)) : "")};
}

Finding CheckSystem() {
  const absl::Status able = base::CheckProcess();
  if (!able.ok()) return {Level::kBad, "system", std::string(able.message())};
  return {Level::kFine, "system", "/proc and /dev/null are there, and files and stack enough"};
}

Finding CheckKernel() {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  if (fd < 0) {
    return {Level::kBad, "kernel",
            "no pidfd_open: the end of a program or process would be noticed late; Linux 5.3 has it"};
  }
  ::close(fd);
  if (::syscall(SYS_close_range, ~0U, ~0U, 0) != 0 && errno == ENOSYS) {
    return {Level::kNote, "kernel", "no close_range: worker processes may inherit descriptors; Linux 5.9 has it"};
  }
  return {Level::kFine, "kernel", "pidfd and close_range are there"};
}

Finding CheckClock() {
  timex facts{};
  const int state = ::adjtimex(&facts);
  if (state == TIME_ERROR || (facts.status & STA_UNSYNC) != 0) {
    return {Level::kNote, "clock", "not synchronised: times in logs of several machines will differ"};
  }
  return {Level::kFine, "clock", "synchronised"};
}

Finding CheckDevices() {
  const device::NvmlAnswer nvml = device::AskNvml();
  if (!nvml.library) {
    return {Level::kNote, "devices",
            "no NVIDIA driver library: only CPU groups, or twinkle-worker --devices TYPE:COUNT"};
  }
  if (nvml.init == 0) return {Level::kFine, "devices", "the NVIDIA driver answers"};
  return {
      Level::kBad, "devices",
      absl::StrCat("the NVIDIA driver library is there, but nvmlInit gives ", nvml.init, ": does nvidia-smi work?")};
}

}  // namespace

std::vector<Finding> Examine(const std::string& driver, const std::string& token_file) {
  std::vector<Finding> findings = {CheckDriver(driver, token_file),
                                   TokenFinding(token_file, AsksForToken(driver)),
                                   CheckPorts(),
                                   CheckHostName(),
                                   CheckMemory(),
                                   CheckSharedMemory(),
                                   SpillFinding(object::SpillFolderOfEnvironment()),
                                   CheckSystem(),
                                   CheckKernel(),
                                   CheckClock(),
                                   CheckDevices()};
  for (Finding& finding : LimitFindings(ReadLimits())) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace twinkle::cli
