// The listener in front of a real gRPC server, and strangers of several kinds.
#include "runtime/rpc/listener.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <arpa/inet.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/place.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

// Lets in whoever shows "good", and answers; refuses everybody else.
class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(Listener* listener) : listener_(*listener) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    struct Answer final : public grpc::ServerGenericBidiReactor {
      void OnDone() override { delete this; }
    };
    auto* answer = new Answer;
    if (MetadataOf(*context, kTokenKey) == "good") {
      listener_.LetIn(context->peer());
      answer->Finish(grpc::Status::OK);
    } else {
      answer->Finish({grpc::StatusCode::UNAUTHENTICATED, "no token"});
    }
    return answer;
  }

 private:
  Listener& listener_;
};

struct Server {
  explicit Server(ListenerOptions options) {
    if (options.socket.empty()) options.host = "127.0.0.1";
    target = options.socket;
    auto opened = Listener::Open(std::move(options));
    REQUIRE(opened.ok());
    listener = *std::move(opened);
    service = std::make_unique<Service>(listener.get());
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(service.get());
    listener->Attach(builder);
    server = builder.BuildAndStart();
    REQUIRE(server != nullptr);
    REQUIRE(listener->Start().ok());
    if (target.empty()) target = absl::StrCat("127.0.0.1:", listener->port());
  }
  ~Server() {
    listener->Close();
    server->Shutdown(DeadlineIn(absl::ZeroDuration()));
  }
  std::string target;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Service> service;
  std::unique_ptr<grpc::Server> server;
};

struct Client {
  explicit Client(const std::string& target) : channel(NewChannel(target)), stub(channel) {}
  grpc::StatusCode Call(const std::string& token) {
    grpc::ClientContext context;
    context.AddMetadata(kTokenKey, token);
    context.set_deadline(DeadlineIn(absl::Seconds(20)));
    context.set_wait_for_ready(true);
    grpc::CompletionQueue queue;
    const grpc::Slice nothing;
    grpc::ByteBuffer request(&nothing, 1), reply;
    grpc::Status status;
    const auto call = stub.PrepareUnaryCall(&context, "/any/Method", request, &queue);
    call->StartCall();
    call->Finish(&reply, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status.error_code();
  }
  std::shared_ptr<grpc::Channel> channel;
  grpc::GenericStub stub;
};

// `flags`: with SOCK_NONBLOCK it is not waited for. `from`: an address of the loopback's.
base::Fd Connect(int port, int flags = 0, in_addr_t from = INADDR_LOOPBACK) {
  base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(from);
  if (!fd.valid() || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return base::Fd();
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int failed = ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
  return failed == 0 || failed == EINPROGRESS ? std::move(fd) : base::Fd();
}

// The same for a Unix socket, "unix-abstract:NAME".
base::Fd ConnectLocally(const std::string& target) {
  base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = target.substr(target.find(':') + 1);
  name.copy(address.sun_path + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 ? std::move(fd) : base::Fd();
}

// While it lives what this process connects with is another user's. Only root can do that.
class AsAnotherUser {
 public:
  AsAnotherUser() { REQUIRE(::seteuid(kSomebody) == 0); }
  ~AsAnotherUser() { static_cast<void>(::seteuid(0)); }

 private:
  static constexpr uid_t kSomebody = 4711;
};

// Reads until the server ends the connection; false: not within the limit.
bool Ends(const base::Fd& fd, absl::Duration limit) {
  const timeval wait = {.tv_sec = 0, .tv_usec = 20'000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  std::string buffer(4096, '\0');
  for (const base::Instant deadline = base::Now() + limit; base::Now() < deadline;) {
    const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)) return true;
  }
  return false;
}

// An HTTP/2 frame without padding.
std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  const auto byte = [](uint32_t value, int shift) { return static_cast<char>((value >> shift) & 0xff); };
  const auto size = static_cast<uint32_t>(payload.size());
  std::string frame = {byte(size, 16), byte(size, 8), byte(size, 0), static_cast<char>(type), static_cast<char>(flags)};
  for (const int shift : {24, 16, 8, 0}) frame += byte(stream, shift);
  return frame + payload;
}

// Streams that are opened and reset at once, by the thousand.
std::string Resets(uint32_t first, uint32_t count) {
  constexpr uint8_t kHeaders = 1, kReset = 3, kEndHeaders = 4;
  const std::string head = {'\x83', '\x86', '\x04', '\x02', '/',
                            'x',    '\x01', '\x01', 'h'};  // POST http /x, authority h
  std::string all;
  for (uint32_t i = 0; i < count; ++i) {
    all += Frame(kHeaders, kEndHeaders, first + 2 * i, head);
    all += Frame(kReset, 0, first + 2 * i, std::string(4, '\0'));
  }
  return all;
}

TEST_CASE("a client that shows what lets it in is served, on TCP and on a Unix socket") {
  Server tcp({});
  CHECK(Client(tcp.target).Call("good") == grpc::StatusCode::OK);
  CHECK(Client(tcp.target).Call("bad") == grpc::StatusCode::UNAUTHENTICATED);
  Server local({.socket = NewSocketName()});
  CHECK(Client(local.target).Call("good") == grpc::StatusCode::OK);
}

TEST_CASE("who was let in stays, a stranger is shown the door in time") {
  Server server({.strangers = {.patience = absl::Milliseconds(200)}});
  Client client(server.target);
  REQUIRE(client.Call("good") == grpc::StatusCode::OK);
  const base::Fd stranger = Connect(server.listener->port());
  CHECK(Ends(stranger, absl::Seconds(20)));
  // The client's connection is older than the stranger's was, and still the same.
  CHECK(client.channel->GetState(false) == GRPC_CHANNEL_READY);
  CHECK(client.Call("good") == grpc::StatusCode::OK);
}

TEST_CASE("two thousand strangers and too few descriptors: who has a token is served, then and afterwards (LI1)") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  Server server({.strangers = {.most = 50, .moment = absl::Milliseconds(10)}});
  std::vector<base::Fd> strangers;
  rlimit few = before;
  few.rlim_cur = 300;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  for (int i = 0; i < 2000; ++i) {
    base::Fd fd = Connect(server.listener->port(), SOCK_NONBLOCK);  // those that are not accepted wait
    if (fd.valid()) {
      strangers.push_back(std::move(fd));
    } else if (!strangers.empty()) {
      strangers.erase(strangers.begin());
    }
  }
  strangers.resize(std::min<size_t>(strangers.size(), 100));  // the client, here too, needs some
  CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
  strangers.clear();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
}

// Whether it is cut off before it has sent a multiple of what a stranger may.
bool IsCutOff(const base::Fd& stranger) {
  std::string sent = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, "");
  for (uint32_t round = 0; round < 1'000; ++round) {
    sent += Resets(1 + 2000 * round, 1000);
    if (::send(stranger.get(), sent.data(), sent.size(), MSG_NOSIGNAL) < 0) return true;
    sent.clear();
  }
  return false;
}

TEST_CASE("a stranger that resets streams by the thousand is cut off after its bytes") {
  Server server({.strangers = {.bytes = 64 << 10}});
  CHECK(IsCutOff(Connect(server.listener->port())));
  CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
}

TEST_CASE("strangers that come again and again with too much wait, and who has a token is served after them (ST4)") {
  constexpr uint64_t kMost = 256 << 10;
  Server server({.strangers = {.bytes = 64 << 10, .bytes_of_gone = kMost, .forgiven = 512 << 10}});
  for (int i = 0; i < 8; ++i) REQUIRE(IsCutOff(Connect(server.listener->port())));
  CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
}

// Hostile clients on a thread of their own, each with an address of its own or with one of a few. Each sends as much as
// it can, is shown out, and comes again, until this goes.
class Hostile {
 public:
  Hostile(int port, int clients, int addresses) : port_(port), addresses_(addresses), clients_(clients) {
    thread_ = std::thread([this] {
      while (!stop_) Round();
    });
    while (rounds_ < kRounds) std::this_thread::yield();
  }
  ~Hostile() {
    stop_ = true;
    thread_.join();
  }

 private:
  static constexpr int kRounds = 100;  // until they are well under way

  void Round() {
    for (size_t i = 0; i < clients_.size(); ++i) {
      const bool sent = clients_[i].valid() &&
                        ::send(clients_[i].get(), flood_.data(), flood_.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
      if (sent || (clients_[i].valid() && errno == EAGAIN)) continue;
      const auto address = static_cast<in_addr_t>(INADDR_LOOPBACK + 1 + i % addresses_);
      clients_[i] = Connect(port_, SOCK_NONBLOCK, address);
      if (clients_[i].valid()) static_cast<void>(::send(clients_[i].get(), hello_.data(), hello_.size(), MSG_NOSIGNAL));
    }
    ++rounds_;
  }

  const int port_;
  const size_t addresses_;
  const std::string hello_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, "");
  const std::string flood_ = Resets(1, 1000);
  std::vector<base::Fd> clients_;
  std::atomic<int> rounds_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_CASE("a few hostile addresses with many connections: a newcomer of another address is served (ST1, ST4)") {
  const Server server({.strangers = {.most = 64}});
  const Hostile hostile(server.listener->port(), /*clients=*/200, /*addresses=*/3);
  CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
}

TEST_CASE("many hostile addresses with one connection each: newcomers are served (ST1, ST5)") {
  const Server server({.strangers = {.most = 64}});
  const Hostile hostile(server.listener->port(), /*clients=*/200, /*addresses=*/200);
  for (int i = 0; i < 3; ++i) CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
}

TEST_CASE("who sends more than a greeting before it is greeted is not served: no client of gRPC's does") {
  Server server({.strangers = {.most = 1, .moment = absl::Milliseconds(300)}});
  const base::Fd first = Connect(server.listener->port());  // while it has its moment others wait
  CHECK(IsCutOff(Connect(server.listener->port())));
  CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
}

TEST_CASE("on a Unix socket another user is a stranger: bounded in bytes, number and time, until it is let in") {
  if (::geteuid() != 0) return;  // nobody else can be another user
  Server server(
      {.socket = NewSocketName(),
       .strangers = {.most = 2, .moment = absl::Hours(1), .patience = absl::Milliseconds(300), .bytes = 64 << 10}});
  Client known(server.target);
  {
    const AsAnotherUser user;
    CHECK(known.Call("good") == grpc::StatusCode::OK);
    CHECK(IsCutOff(ConnectLocally(server.target)));
    const base::Fd first = ConnectLocally(server.target), second = ConnectLocally(server.target);
    const base::Fd third = ConnectLocally(server.target);
    CHECK(Ends(third, absl::Milliseconds(200)));  // there is no room
    CHECK(Ends(first, absl::Seconds(20)));
    CHECK(Ends(second, absl::Seconds(20)));
  }
  CHECK(known.channel->GetState(false) == GRPC_CHANNEL_READY);
  CHECK(known.Call("good") == grpc::StatusCode::OK);
}

TEST_CASE("on a Unix socket the own user's connections are served however many strangers of others there are") {
  if (::geteuid() != 0) return;  // nobody else can be another user
  Server server({.socket = NewSocketName(), .strangers = {.most = 1, .moment = absl::Hours(1)}});
  base::Fd stranger;
  {
    const AsAnotherUser user;
    stranger = ConnectLocally(server.target);
  }
  CHECK(Client(server.target).Call("good") == grpc::StatusCode::OK);
  CHECK(Client(server.target).Call("bad") == grpc::StatusCode::UNAUTHENTICATED);
}

TEST_CASE("a port in use, and a host that is elsewhere, are told in words") {
  const Server server({});
  const auto in_use = Listener::Open({.host = "127.0.0.1", .port = server.listener->port()});
  CHECK(absl::IsAlreadyExists(in_use.status()));
  CHECK(in_use.status().message() == absl::StrCat("port ", server.listener->port(), " of host 127.0.0.1 is in use"));
  CHECK(absl::IsInvalidArgument(Listener::Open({.host = "192.0.2.1"}).status()));
  CHECK(absl::IsInvalidArgument(Listener::Open({.host = "no-such-host.invalid"}).status()));
}

}  // namespace
}  // namespace twinkle::rpc
