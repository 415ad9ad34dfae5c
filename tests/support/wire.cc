#include "tests/support/wire.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

base::Fd Listen(int* port) {
  base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address = Local(0);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd.get(), 64) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

// What the other end is sent when it is closed is a reset.
void ResetOnClose(const base::Fd& fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

// False: the other end is gone.
bool Write(int fd, std::string& pending) {
  while (!pending.empty()) {
    const ssize_t sent = ::send(fd, pending.data(), pending.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN;
    pending.erase(0, static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

Wire::Wire(int to_port)
    : to_port_(to_port), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), listener_(Listen(&port_)) {
  thread_ = std::thread([this] { Run(); });
}

Wire::~Wire() {
  {
    base::MutexLock lock(&mutex_);
    ended_ = true;
  }
  Wake();
  thread_.join();
}

void Wire::Wake() const { ::eventfd_write(wake_.get(), 1); }

void Wire::Reset() {
  base::MutexLock lock(&mutex_);
  ResetAll();
  Wake();
}

void Wire::ResetEvery(size_t bytes) {
  base::MutexLock lock(&mutex_);
  every_ = bytes;
  passed_ = 0;
}

void Wire::FallSilent() {
  base::MutexLock lock(&mutex_);
  silent_ = true;
  Wake();
}

void Wire::Unplug() {
  base::MutexLock lock(&mutex_);
  listener_.Reset();
  ResetAll();
  Wake();
}

// A kernel whose queue of connections to be accepted is full leaves further ones unanswered.
void Wire::Vanish() {
  base::MutexLock lock(&mutex_);
  silent_ = true;
  ResetAll();
  REQUIRE(::listen(listener_.get(), 0) == 0);  // has room for one
  last_taken_ = base::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in address = Local(port_);
  ::connect(last_taken_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  Wake();
}

int Wire::connections() const {
  base::MutexLock lock(&mutex_);
  return made_;
}

void Wire::ResetAll() {
  for (const auto& connection : connections_) {
    ResetOnClose(connection->near);
    ResetOnClose(connection->far);
  }
  connections_.clear();
  passed_ = 0;
}

void Wire::Run() {
  while (true) {
    std::vector<pollfd> polled = {{wake_.get(), POLLIN, 0}};
    {
      base::MutexLock lock(&mutex_);
      if (ended_) return;
      if (!silent_) polled.push_back({listener_.valid() ? listener_.get() : -1, POLLIN, 0});
      for (const auto& one : connections_) {
        if (silent_) break;
        const auto wanted = [](const std::string& in, const std::string& out) {
          return static_cast<short>((in.empty() ? POLLIN : 0) | (out.empty() ? 0 : POLLOUT));
        };
        polled.push_back({one->near.get(), wanted(one->to_far, one->to_near), 0});
        polled.push_back({one->far.get(), wanted(one->to_near, one->to_far), 0});
      }
    }
    ::poll(polled.data(), polled.size(), -1);
    eventfd_t ignored = 0;
    if (::eventfd_read(wake_.get(), &ignored) == 0) continue;  // what is polled may have changed
    base::MutexLock lock(&mutex_);
    if (silent_ || polled.size() != 2 + 2 * connections_.size()) continue;
    for (size_t i = 0; i < connections_.size(); ++i) {
      const bool goes_on = Pass(*connections_[i], polled[2 + 2 * i].revents, polled[3 + 2 * i].revents);
      if (connections_.empty()) break;  // they were reset
      if (!goes_on) connections_[i]->near.Reset();
    }
    std::erase_if(connections_, [](const auto& one) { return !one->near.valid(); });
    if (polled[1].revents != 0) Accept();
  }
}

void Wire::Accept() {
  base::Fd near(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!near.valid()) return;
  ++made_;
  base::Fd far(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Local(to_port_);
  if (::connect(far.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return;
  connections_.push_back(std::make_unique<Connection>(Connection{std::move(near), std::move(far), {}, {}}));
}

bool Wire::Pass(Connection& connection, short near_events, short far_events) {
  if (!Write(connection.near.get(), connection.to_near) || !Write(connection.far.get(), connection.to_far))
    return false;
  const bool near_ends = near_events != 0 && !Move(connection.near.get(), connection.to_far, connection.far.get());
  if (connections_.empty()) return false;
  const bool far_ends = far_events != 0 && !Move(connection.far.get(), connection.to_near, connection.near.get());
  return !near_ends && !far_ends;
}

bool Wire::Move(int from, std::string& pending, int to) {
  if (!pending.empty()) return true;
  std::array<char, 64 << 10> bytes;
  const size_t most = every_ == 0 ? bytes.size() : std::min(bytes.size(), every_ - passed_);
  const ssize_t got = ::recv(from, bytes.data(), most, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN;
  if (got == 0) return false;
  pending.assign(bytes.data(), static_cast<size_t>(got));
  const bool written = Write(to, pending);
  passed_ += static_cast<size_t>(got);
  if (every_ != 0 && passed_ >= every_) ResetAll();
  return written;
}

}  // namespace twinkle::rpc
