#include "runtime/rpc/incoming.h"

#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>

namespace twinkle::rpc {
namespace {

constexpr uint8_t kEstablished = 1;     // the kernel's number of the TCP state
constexpr uid_t kOverflowUser = 65534;  // the number of all users that a user namespace does not know
// The peek offset of a Unix socket, used as a counter of bytes: the kernel lowers it by each byte that is read. Nobody
// peeks at these sockets.
constexpr int kPeekOffset = 1 << 30;

int DomainOf(int fd) {
  int domain = AF_UNSPEC;
  socklen_t size = sizeof(domain);
  ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return domain;
}

std::string NameOf(const sockaddr_un& address, socklen_t size) {
  constexpr size_t kBegin = offsetof(sockaddr_un, sun_path) + 1;
  const bool is_abstract = size > kBegin && address.sun_path[0] == '\0';
  // A path is no name: it may belong to another socket by now.
  return is_abstract ? absl::StrCat("unix-abstract:", std::string(address.sun_path + 1, size - kBegin)) : std::string();
}

std::string InText(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

std::string HostText(const sockaddr_in& address) { return absl::StrCat("ipv4:", InText(AF_INET, &address.sin_addr)); }

std::string HostText(const sockaddr_in6& address) {
  const uint8_t* const bytes = address.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) return absl::StrCat("ipv4:", InText(AF_INET, bytes + 12));
  return absl::StrCat("ipv6:%5B", InText(AF_INET6, bytes), "%5D");
}

std::string NetworkOf(sockaddr_in6 address) {
  constexpr int kNetworkBytes = 8;
  uint8_t* const bytes = address.sin6_addr.s6_addr;
  if (!IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) std::fill(bytes + kNetworkBytes, bytes + sizeof(in6_addr), 0);
  return HostText(address);
}

Received ReceivedOnUnix(int fd) {
  pollfd ended{fd, POLLRDHUP, 0};
  int left = kPeekOffset;
  socklen_t size = sizeof(left);
  ::getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &left, &size);
  return {static_cast<uint64_t>(kPeekOffset - left), ::poll(&ended, 1, 0) != 0};
}

}  // namespace

void NameUnixSocket(int fd) {
  if (DomainOf(fd) != AF_UNIX) return;
  const sa_family_t family = AF_UNIX;  // the kernel chooses the name if only the family is given
  (void)!::bind(fd, reinterpret_cast<const sockaddr*>(&family), sizeof(family));
}

std::optional<std::string> PeerName(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  if (address.ss_family == AF_UNIX) return NameOf(reinterpret_cast<const sockaddr_un&>(address), size);
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return absl::StrCat(HostText(v4), ":", ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return absl::StrCat(HostText(v6), ":", ntohs(v6.sin6_port));
}

std::string SourceOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.ss_family == AF_INET) return HostText(reinterpret_cast<const sockaddr_in&>(address));
  if (address.ss_family == AF_INET6) return NetworkOf(reinterpret_cast<const sockaddr_in6&>(address));
  ucred peer{};
  size = sizeof(peer);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return absl::StrCat("user:", peer.uid);
}

bool IsOfUser(int fd, uid_t user) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (DomainOf(fd) != AF_UNIX || ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || (peer.uid == user && peer.uid != kOverflowUser);
}

uint64_t UnreadOn(int fd) {
  int unread = 0;
  return ::ioctl(fd, FIONREAD, &unread) == 0 ? static_cast<uint64_t>(unread) : 0;
}

void ForgetUnread(int fd) {
  while (DomainOf(fd) != AF_UNIX && ::recv(fd, nullptr, INT_MAX, MSG_TRUNC | MSG_DONTWAIT) > 0) {
  }
}

void CountBytes(int fd) {
  if (DomainOf(fd) == AF_UNIX) ::setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &kPeekOffset, sizeof(kPeekOffset));
}

Received ReceivedOn(int fd) {
  if (DomainOf(fd) == AF_UNIX) return ReceivedOnUnix(fd);
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {0, true};
  return {info.tcpi_bytes_received, info.tcpi_state != kEstablished};
}

}  // namespace twinkle::rpc
