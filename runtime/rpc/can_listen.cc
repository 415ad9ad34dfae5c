#include "runtime/rpc/can_listen.h"

#include <absl/strings/str_cat.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <string>

#include "runtime/rpc/fd_channel.h"

namespace twinkle::rpc {
namespace {

absl::Status WhyNot(const HostPort& at) {
  const absl::Status why = absl::ErrnoToStatus(errno, JoinHostPort(at.host, at.port));
  switch (errno) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(absl::StrCat("port ", at.port, " of host ", at.host, " is in use"));
    case EADDRNOTAVAIL:
      return absl::InvalidArgumentError(absl::StrCat("host ", at.host, " is not this machine"));
    case EACCES:
      return absl::PermissionDeniedError(absl::StrCat("port ", at.port, " of host ", at.host, " is for root alone"));
    default:
      return absl::UnavailableError(absl::StrCat("cannot listen: ", why.message()));
  }
}

}  // namespace

absl::Status CanListen(const HostPort& at) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(at.host.c_str(), std::to_string(at.port).c_str(), &wanted, &found);
      failed != 0) {
    return absl::InvalidArgumentError(absl::StrCat("host ", at.host, " is not known: ", ::gai_strerror(failed)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, &::freeaddrinfo);
  const Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;  // a port of which a connection has not quite ended is free
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket.get(), 1) != 0) return WhyNot(at);
  return absl::OkStatus();
}

}  // namespace twinkle::rpc
