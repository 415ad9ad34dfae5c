#include "runtime/rpc/place.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "runtime/rpc/secret.h"

namespace twinkle::rpc {

namespace {

// The identity of this boot of this kernel.
std::string Boot() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  return std::string(absl::StripAsciiWhitespace(boot));
}

}  // namespace

std::string ThisMachine() {
  struct stat network {};
  ::stat("/proc/self/ns/net", &network);
  return absl::StrCat(Boot(), "/", network.st_ino);
}

std::string ThisPids() {
  struct stat pids {};
  if (::stat("/proc/self/ns/pid", &pids) != 0) return "";
  return absl::StrCat(Boot(), "/", pids.st_ino);
}

std::string ThisHost() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return "localhost";
  return host.data();
}

std::string ThisPlace() { return absl::StrCat(ThisHost(), ", pid ", ::getpid()); }

std::string NewSocketName() { return absl::StrCat("unix-abstract:twinkle-", NewSecret().substr(0, 32)); }

}  // namespace twinkle::rpc
