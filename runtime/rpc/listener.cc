#include "runtime/rpc/listener.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/credentials.h"
#include "runtime/rpc/incoming.h"

namespace twinkle::rpc {
namespace {

constexpr int kBacklog = 1024;
constexpr size_t kReserve = 16;                 // descriptors
constexpr int kAtOnce = 64;                     // connections that are accepted in one turn
constexpr int kMadeRoom = 16;                   // strangers that are expelled at once when descriptors are short
constexpr uint64_t kLongestGreeting = 4 << 10;  // most bytes that a client of gRPC sends before the server does
constexpr int kPortAttempts = 8;                // attempts to find a port that is free on all addresses
constexpr absl::Duration kLongestTick = absl::Seconds(1);     // a longer time between ticks is a pause of this process
constexpr absl::Duration kTick = absl::Milliseconds(10);      // from tick to tick, while there are strangers
constexpr absl::Duration kTryAgain = absl::Milliseconds(20);  // pause after a connection could not be accepted
constexpr absl::string_view kUnix = "unix:", kAbstract = "unix-abstract:";

// The error of a host and port that cannot be listened on, by errno.
absl::Status WhyNot(const std::string& host, int port) {
  const int error = errno;
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(absl::StrCat("port ", port, " of host ", host, " is in use"));
    case EADDRNOTAVAIL:
      return absl::InvalidArgumentError(absl::StrCat("host ", host, " is not this machine"));
    case EACCES:
      return absl::PermissionDeniedError(absl::StrCat("port ", port, " of host ", host, " is for root alone"));
    default:
      return absl::ErrnoToStatus(error, absl::StrCat("cannot listen on ", JoinHostPort(host, port)));
  }
}

absl::StatusOr<base::Fd> ListenOn(const sockaddr* address, socklen_t size) {
  base::Fd socket(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return base::ErrnoStatus(errno, "a socket could not be made");
  const int on = 1;
  if (address->sa_family != AF_UNIX) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket.get(), address, size) != 0 || ::listen(socket.get(), kBacklog) != 0) {
    return absl::ErrnoToStatus(errno, "it cannot be listened on");
  }
  return socket;
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

void SetPort(sockaddr_storage* address, int port) {
  in_port_t& number = address->ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(address)->sin6_port
                                                     : reinterpret_cast<sockaddr_in*>(address)->sin_port;
  number = htons(static_cast<uint16_t>(port));
}

// Whether an address comes twice: a name may have the same address more than once.
bool IsListedBefore(const addrinfo* addresses, const addrinfo* one) {
  for (const addrinfo* each = addresses; each != one; each = each->ai_next) {
    const bool is_same =
        each->ai_addrlen == one->ai_addrlen && std::memcmp(each->ai_addr, one->ai_addr, one->ai_addrlen) == 0;
    if (is_same) return true;
  }
  return false;
}

// Whether the error of accept concerns only the connection that it took from the queue, so that the next may be
// accepted (accept(2)).
bool IsOfThatConnection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

// The peer's name without the scope of a link-local address, which is "%25" and what follows, up to the bracket.
std::string WithoutScope(const std::string& peer) {
  const size_t begin = peer.find("%25"), end = peer.find("%5D");
  if (begin == std::string::npos || end == std::string::npos || begin > end) return peer;
  return peer.substr(0, begin) + peer.substr(end);
}

}  // namespace

Listener::Listener(ListenerOptions options)
    : options_(std::move(options)), user_(::geteuid()), strangers_(options_.strangers) {}

Listener::~Listener() { Close(); }

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(ListenerOptions options) {
  std::unique_ptr<Listener> listener(new Listener(std::move(options)));
  if (!listener->options_.socket.empty()) TWINKLE_RETURN_IF_ERROR(listener->ListenOnSocket());
  if (!listener->options_.host.empty()) TWINKLE_RETURN_IF_ERROR(listener->ListenOnPort());
  listener->FillReserve();
  return listener;
}

absl::Status Listener::ListenOnSocket() {
  const absl::string_view target = options_.socket;
  const bool is_abstract = absl::StartsWith(target, kAbstract);
  const absl::string_view name = target.substr(is_abstract ? kAbstract.size() : kUnix.size());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() + 1 > sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("the socket's name is empty or too long: ", target));
  }
  // An abstract name begins with a zero byte; its end is known by its length alone.
  std::memcpy(address.sun_path + (is_abstract ? 1 : 0), name.data(), name.size());
  const size_t size = offsetof(sockaddr_un, sun_path) + name.size() + 1;
  absl::StatusOr<base::Fd> socket = ListenOn(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
  if (!socket.ok()) return base::Annotate(socket.status(), absl::StrCat("cannot listen on ", target));
  socket_fd_ = socket->get();
  listening_.push_back(*std::move(socket));
  return absl::OkStatus();
}

absl::Status Listener::ListenOnPort() {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string host(WithoutBrackets(options_.host));
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (failed != 0) {
    return absl::InvalidArgumentError(absl::StrCat("host ", host, " is not known: ", ::gai_strerror(failed)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, &::freeaddrinfo);
  const size_t before = listening_.size();
  absl::Status listens;
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    listens = ListenOnAll(found);
    // The kernel chose a port for one address, which may be in use on another.
    if (listens.ok() || options_.port != 0 || !absl::IsAlreadyExists(listens)) break;
    listening_.resize(before);
  }
  return listens;
}

// Listens on all addresses at one port. An address that this machine cannot listen on is left out if there is another.
absl::Status Listener::ListenOnAll(const addrinfo* addresses) {
  port_ = options_.port;
  absl::Status why_not = absl::UnavailableError("there is no address to listen on");
  bool any = false;
  for (const addrinfo* each = addresses; each != nullptr; each = each->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, each->ai_addr, each->ai_addrlen);
    SetPort(&address, port_);
    absl::StatusOr<base::Fd> socket = ListenOn(reinterpret_cast<const sockaddr*>(&address), each->ai_addrlen);
    if (socket.ok()) {
      any = true;
      port_ = PortOf(socket->get());
      listening_.push_back(*std::move(socket));
      continue;
    }
    why_not = WhyNot(options_.host, port_);
    if (absl::IsAlreadyExists(why_not) && !IsListedBefore(addresses, each)) return why_not;
  }
  return any ? absl::OkStatus() : why_not;
}

void Listener::Attach(grpc::ServerBuilder& builder) {
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  acceptor_ = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, ServerCredentials());
}

absl::Status Listener::Start() {
  for (const base::Fd& socket : listening_) {
    loop_.Watch(socket.get(), [this, fd = socket.get()] { Accept(fd); });
  }
  TWINKLE_ASSIGN_OR_RETURN(thread_, base::StartThread("twinkle.accept", [this] { loop_.Run(); }));
  return absl::OkStatus();
}

void Listener::Close() {
  loop_.Stop();
  if (thread_.joinable()) thread_.join();
  listening_.clear();
  base::MutexLock lock(&mutex_);
  watched_.clear();
}

// ---- accepting
void Listener::FillReserve() {
  while (reserve_.size() < kReserve) {
    base::Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return;
    reserve_.push_back(std::move(fd));
  }
}

// Accepts some of the waiting connections. The rest makes the socket readable again, after others had the thread.
void Listener::Accept(int listening) {
  for (int i = 0; i < kAtOnce && MayAccept(listening) && AcceptOne(listening); ++i) {
  }
  ServeStrangers();
}

// Whether a connection may be accepted from the socket now. Over TCP every newcomer is a stranger, and waits a little
// if there is no room for one more. A Unix socket's connection must be accepted before its user is known.
bool Listener::MayAccept(int listening) {
  if (listening == socket_fd_) return true;
  const base::Instant now = AwakeNow();
  {
    base::MutexLock lock(&mutex_);
    if (strangers_.HasRoom(now)) return true;
  }
  AcceptLater(listening);
  return false;
}

// Accepts one connection. False: there is no other now.
bool Listener::AcceptOne(int listening) {
  base::Fd connection(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection.valid()) {
    if (listening == socket_fd_) {
      ReceiveLocal(std::move(connection));
    } else {
      ReceiveRemote(std::move(connection), listening);
    }
    return true;
  }
  const int error = errno;
  if (error == EAGAIN || error == EWOULDBLOCK) return false;
  if (IsOfThatConnection(error)) return true;
  return MakeRoom(listening);
}

// Makes room when no descriptor, or no memory, is left. True: accept can be tried again at once; false: it is tried a
// little later.
bool Listener::MakeRoom(int listening) {
  const base::Instant now = AwakeNow();
  {
    base::MutexLock lock(&mutex_);
    for (int i = 0; i < kMadeRoom; ++i) {
      if (const auto oldest = strangers_.ExpelOldest(now)) ShowOut(*oldest);
    }
  }
  if (!reserve_.empty()) {
    reserve_.pop_back();
    return true;
  }
  AcceptLater(listening);
  return false;
}

void Listener::AcceptLater(int listening) {
  loop_.Forget(listening);  // the socket stays readable
  loop_.PostAfter(kTryAgain, [this, listening] {
    FillReserve();
    loop_.Watch(listening, [this, listening] { Accept(listening); });
  });
}

void Listener::ReceiveLocal(base::Fd connection) {
  if (IsOfUser(connection.get(), user_)) return HandOver(std::move(connection), socket_fd_);
  Receive(std::move(connection), socket_fd_);
}

void Listener::ReceiveRemote(base::Fd connection, int listening) {
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  SetKeepAlive(connection.get(), options_.keep_alive).IgnoreError();  // the connection works without keep-alive, too
  Receive(std::move(connection), listening);
}

void Listener::HandOver(base::Fd connection, int listening) {
  Acceptor::NewConnectionParameters parameters;
  parameters.listener_fd = listening;
  parameters.fd = connection.Release();
  acceptor_->HandleNewConnection(&parameters);
}

// ---- strangers
// Adds a connection to the strangers, unless it has ended already, or is not gRPC's.
void Listener::Receive(base::Fd connection, int listening) {
  const int fd = connection.get();
  std::optional<std::string> peer = PeerName(fd);
  if (!peer || UnreadOn(fd) > kLongestGreeting) return;
  CountBytes(fd);
  const base::Instant now = AwakeNow();
  if (!std::exchange(ticking_, true)) loop_.PostAfter(kTick, [this] { Tick(); });
  base::MutexLock lock(&mutex_);
  const Strangers::Id id = ++last_;
  watched_.emplace(id, Watched{std::move(connection), listening});
  if (const auto gone = strangers_.Add(id, *std::move(peer), SourceOf(fd), now)) ShowOut(*gone);
}

// Hands strangers whose turn has come to gRPC. A stranger for which there is no second descriptor is dropped, as it
// could not be watched.
void Listener::ServeStrangers() {
  const base::Instant now = AwakeNow();
  std::vector<Watched> served;
  {
    base::MutexLock lock(&mutex_);
    for (const Strangers::Id id : strangers_.Serve(now)) {
      Watched& watched = watched_.at(id);
      base::Fd own = Another(watched.connection);
      if (own.valid()) {
        served.push_back({std::exchange(watched.connection, std::move(own)), watched.listening});
      } else {
        strangers_.Ended(id, now);
        watched_.erase(id);
      }
    }
  }
  for (Watched& one : served) HandOver(std::move(one.connection), one.listening);
}

// A second descriptor of a connection; invalid: none is left.
base::Fd Listener::Another(const base::Fd& connection) {
  base::Fd own(::fcntl(connection.get(), F_DUPFD_CLOEXEC, 0));
  if (own.valid() || reserve_.empty()) return own;
  reserve_.pop_back();
  return base::Fd(::fcntl(connection.get(), F_DUPFD_CLOEXEC, 0));
}

// The time less the pauses of this process while it ticks: what strangers sent during a pause could not be read.
base::Instant Listener::AwakeNow() {
  const base::Instant now = base::Now();
  if (ticking_ && now - last_tick_ > kLongestTick) slept_ += now - last_tick_;
  last_tick_ = now;
  return now - slept_;
}

// Ends a stranger's connection. If gRPC has it, gRPC sees its end, and none of the bytes that it has not read yet.
void Listener::ShowOut(Strangers::Id id) {
  const int fd = watched_.at(id).connection.get();
  ::shutdown(fd, SHUT_RDWR);
  ForgetUnread(fd);
  watched_.erase(id);
}

// Updates one stranger. It is removed if its connection has ended, or if it sends too much while it waits.
void Listener::Look(Strangers::Id id, base::Instant now) {
  const int fd = watched_.at(id).connection.get();
  const Received received = ReceivedOn(fd);
  const bool is_served = strangers_.is_served(id);
  if (is_served) strangers_.SetBytes(id, received.bytes);
  if (!received.ended && (is_served || UnreadOn(fd) <= kLongestGreeting)) return;
  strangers_.Ended(id, now);
  watched_.erase(id);
}

void Listener::Tick() {
  FillReserve();
  const base::Instant now = AwakeNow();
  {
    base::MutexLock lock(&mutex_);
    for (const Strangers::Id id : strangers_.ids()) Look(id, now);
    for (const Strangers::Id id : strangers_.Expel(now)) ShowOut(id);
    const uint64_t owed = strangers_.Owed(now);
    flooded_ = flooded_ || owed >= options_.strangers.bytes_of_gone;
    ticking_ = !strangers_.is_quiet();
  }
  ServeStrangers();
  if (ticking_) {
    loop_.PostAfter(kTick, [this] { Tick(); });
  } else if (std::exchange(flooded_, false)) {
    ::malloc_trim(0);  // gRPC has freed the memory of the flood; the heap would keep it
  }
}

void Listener::LetIn(const std::string& peer) {
  base::MutexLock lock(&mutex_);
  const auto id = strangers_.Find(WithoutScope(peer));
  if (!id) return;
  strangers_.LetIn(*id);
  watched_.erase(*id);
}

}  // namespace twinkle::rpc
