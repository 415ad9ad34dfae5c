#include "runtime/rpc/grpc/machine_probe.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/string_view.h>
#include <absl/strings/strip.h>
#include <netdb.h>
#include <poll.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "runtime/base/log.h"
#include "runtime/base/shortage.h"
#include "runtime/rpc/address.h"

namespace twinkle::rpc {
namespace {

using Machine = Redial::Machine;

// Looks without an answer, after which a new connection is tried. The kernel would repeat its question only after ever
// longer pauses.
constexpr int kLooks = 10;

// Fills in the address of a Unix socket, and returns its size; 0: the name is too long.
socklen_t UnixAddress(absl::string_view name, bool abstract, sockaddr_storage* address) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  const size_t begin = abstract ? 1 : 0;
  if (begin + name.size() >= sizeof(local.sun_path)) return 0;
  std::memcpy(local.sun_path + begin, name.data(), name.size());
  std::memcpy(address, &local, sizeof(local));
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + begin + name.size() + (abstract ? 0 : 1));
}

socklen_t NetworkAddress(absl::string_view target, sockaddr_storage* address) {
  const size_t colon = target.rfind(':');
  if (colon == absl::string_view::npos) return 0;
  const std::string host = HostOf(target);
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;  // no name is looked up
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::string(target.substr(colon + 1)).c_str(), &wanted, &found) != 0) {
    return 0;
  }
  const socklen_t size = found->ai_addrlen;
  std::memcpy(address, found->ai_addr, size);
  ::freeaddrinfo(found);
  return size;
}

socklen_t AddressOf(absl::string_view target, sockaddr_storage* address) {
  if (absl::ConsumePrefix(&target, "unix-abstract:")) return UnixAddress(target, true, address);
  if (absl::ConsumePrefix(&target, "unix:")) return UnixAddress(target, false, address);
  return NetworkAddress(target, address);
}

}  // namespace

MachineProbe::MachineProbe(const std::string& target, const KeepAlive& keep_alive)
    : keep_alive_(keep_alive), size_(AddressOf(target, &address_)) {}

Machine MachineProbe::Look() {
  if (size_ == 0) return Machine::kUnknown;
  if (taken_ && !IsThere()) {
    taken_ = false;
    socket_.Reset();
  }
  if (taken_) return Machine::kHasIt;
  return socket_.valid() ? LookAtAnswer() : Begin();
}

Machine MachineProbe::Begin() {
  looks_ = 0;
  socket_ = base::Fd(::socket(address_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.valid()) {
    base::Log(base::LogLevel::kWarning,
              base::ErrnoStatus(errno, "another process of the job cannot be reached now").message());
    return Machine::kHasIt;  // a lack of descriptors here says nothing about the peer
  }
  SetKeepAlive(socket_.get(), keep_alive_).IgnoreError();
  const int failed = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address_), size_) == 0 ? 0 : errno;
  if (failed == EINPROGRESS) return LookAtAnswer();
  return OnAnswer(failed);
}

Machine MachineProbe::LookAtAnswer() {
  pollfd wanted{socket_.get(), POLLOUT, 0};
  if (::poll(&wanted, 1, 0) == 0) {
    if (++looks_ >= kLooks) socket_.Reset();
    return Machine::kSilent;
  }
  int failed = 0;
  socklen_t size = sizeof(failed);
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &failed, &size);
  return OnAnswer(failed);
}

Machine MachineProbe::OnAnswer(int failed) {
  // EAGAIN: the Unix socket's queue of connections is full, so its process is there.
  taken_ = failed == 0 || failed == EAGAIN;
  if (taken_) return Machine::kHasIt;
  socket_.Reset();
  return failed == ECONNREFUSED || failed == ENOENT ? Machine::kRefuses : Machine::kSilent;
}

bool MachineProbe::IsThere() const {
  pollfd wanted{socket_.get(), POLLRDHUP, 0};
  return ::poll(&wanted, 1, 0) == 0;
}

std::string NumericTarget(const std::string& target, const std::string& address) {
  sockaddr_storage as_it_is{};
  if (AddressOf(target, &as_it_is) != 0) return target;
  absl::string_view host = address;
  if (!absl::ConsumePrefix(&host, "ipv4:") && !absl::ConsumePrefix(&host, "ipv6:")) return target;
  host = host.substr(0, host.rfind(':'));
  return absl::StrCat(absl::StrReplaceAll(host, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}}),
                      target.substr(target.rfind(':')));
}

}  // namespace twinkle::rpc
