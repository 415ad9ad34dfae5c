#include "runtime/rpc/place.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "runtime/rpc/secret.h"

namespace twinkle::rpc {

std::string ThisMachine() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  struct stat network {};
  ::stat("/proc/self/ns/net", &network);
  return absl::StrCat(absl::StripAsciiWhitespace(boot), "/", network.st_ino);
}

std::string ThisHost() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return "localhost";
  return host.data();
}

std::string NewSocketName() { return absl::StrCat("unix-abstract:twinkle-", NewSecret().substr(0, 32)); }

}  // namespace twinkle::rpc
