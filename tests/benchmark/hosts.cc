// What it costs to move large values from one machine to others, beside plain TCP between the same two ranks.
#include <absl/strings/str_format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <random>

#include "tests/benchmark/measure.h"
#include "tests/benchmark/metrics.h"

namespace twinkle::benchmark {
namespace {

constexpr absl::Duration kLong = absl::Minutes(5);
constexpr size_t kChunk = 1 << 20;

// Sends and receives bytes as a program of its own would.
class Host {
 public:
  std::string Name() { return Context().Rendezvous().value(); }
  Tensor Random(int64_t elements, int64_t seed) {
    Tensor tensor = Must(Tensor::Empty(DType::kInt64, {elements / 2}));
    std::mt19937_64 random(static_cast<uint64_t>(seed));
    for (int64_t& element : Must(tensor.mutable_data<int64_t>())) element = static_cast<int64_t>(random());
    return tensor;
  }
  // As token ids: small numbers in wide elements.
  Tensor Tokens(int64_t elements, int64_t seed) {
    Tensor tensor = Must(Tensor::Empty(DType::kInt64, {elements / 2}));
    std::mt19937_64 random(static_cast<uint64_t>(seed));
    for (int64_t& element : Must(tensor.mutable_data<int64_t>())) element = static_cast<int64_t>(random() % 50'000);
    return tensor;
  }
  int64_t Bytes(const Tensor& tensor) { return tensor.bytes(); }

  // A TCP port on which Receive will take one connection.
  int64_t Listen() {
    listening_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listening_, any, size) != 0 || ::listen(listening_, 1) != 0) return 0;
    return ::getsockname(listening_, any, &size) == 0 ? ntohs(address.sin_port) : 0;
  }
  // Seconds until all of it was here.
  double Receive(int64_t bytes) {
    const int from = ::accept(listening_, nullptr, nullptr);
    std::vector<char> memory(static_cast<size_t>(bytes), 1);  // touched
    const double seconds = SecondsOf([&] {
      for (int64_t have = 0; have < bytes;) {
        const ssize_t some = ::recv(from, memory.data() + have, static_cast<size_t>(bytes - have), 0);
        if (some <= 0) break;
        have += some;
      }
    });
    ::close(from);
    ::close(listening_);
    return seconds;
  }
  // A value of that size, not the same few bytes over and over: those would never leave the processor's cache.
  void Send(const std::string& host, int64_t port, int64_t bytes) {
    const std::vector<char> memory(static_cast<size_t>(bytes), 1);
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), nullptr, &found) != 0) return;
    const int to = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(to, found->ai_addr, found->ai_addrlen) == 0) {
      for (int64_t sent = 0; sent < bytes;) {
        const auto left = static_cast<size_t>(bytes - sent);
        const ssize_t some = ::send(to, memory.data() + sent, std::min(kChunk, left), 0);
        if (some <= 0) break;
        sent += some;
      }
    }
    ::close(to);
    ::freeaddrinfo(found);
  }

 private:
  int listening_ = -1;
};

TWINKLE_REMOTE_CLASS(Host, (), (Name, Collect::kFirst), (Random, Collect::kFirst), (Tokens, Collect::kFirst),
                     (Bytes, Dispatch::kAll), (Listen), (Receive), (Send))

double PlainSeconds(const Remote<Host>& from, const Remote<Host>& to, const std::string& host, int64_t bytes) {
  const int64_t port = Must(to.Rank(0).Listen().Get());
  const auto received = to.Rank(0).Receive(bytes);
  from.Rank(0).Send(host, port, bytes).Get().IgnoreError();
  return Must(received.Get());
}

double PullSeconds(const Lazy<Tensor>& made, const Remote<Host>& to, int64_t bytes) {
  if (!made.Wait(kLong).ok()) std::exit(1);
  return SecondsOf([&] {
    if (Must(to.Rank(0).Bytes(made).Get()) != bytes) std::exit(1);
  });
}

}  // namespace

void MeasureHosts(const Arguments& arguments, int64_t megabytes, int ranks_everywhere) {
  const int64_t bytes = megabytes << 20;
  const int64_t elements = bytes / 4;
  Session session =
      Begin(arguments, {Group("from", 1), Group("to", 1), Group("everywhere", std::max(1, ranks_everywhere))});
  const auto from = Must(New<Host>({.remote_group = "from"}));
  const auto to = Must(New<Host>({.remote_group = "to"}));
  const std::string name = Must(to.Name().Get());
  const std::string host = name.substr(0, name.rfind(':'));
  std::vector<double> plain, pulled, tokens;
  for (int i = 0; i <= arguments.samples(5); ++i) {
    const double floor = PlainSeconds(from, to, host, bytes);
    const double ours = PullSeconds(from.Random(elements, i), to, bytes);
    const double small = PullSeconds(from.Tokens(elements, i), to, bytes);
    if (i == 0) continue;
    plain.push_back(static_cast<double>(bytes) / floor / 1e9);
    pulled.push_back(static_cast<double>(bytes) / ours / 1e9);
    tokens.push_back(static_cast<double>(bytes) / small / 1e9);
  }
  Report("between_hosts_tcp_gbs", "GB/s", plain);
  Report("between_hosts_gbs", "GB/s", pulled,
         absl::StrFormat(",\"tcp_gbs\":%.4g,\"ratio\":%.3f", Median(plain), Median(pulled) / Median(plain)));
  Report("between_hosts_tokens_gbs", "GB/s", tokens,
         absl::StrFormat(",\"tcp_gbs\":%.4g,\"ratio\":%.3f", Median(plain), Median(tokens) / Median(plain)));
  if (ranks_everywhere > 0) {
    const auto everywhere = Must(New<Host>({.remote_group = "everywhere"}));
    if (!everywhere.component().WaitReady(kLong).ok()) std::exit(1);
    std::vector<double> seconds;
    for (int i = 0; i < arguments.samples(3); ++i) {
      const Lazy<Tensor> made = from.Random(elements, i);
      if (!made.Wait(kLong).ok()) std::exit(1);
      seconds.push_back(SecondsOf([&] { Must(everywhere.Bytes(made).Get()); }));
    }
    Report("broadcast_s", "s", seconds, absl::StrFormat(",\"bytes\":%d,\"ranks\":%d", bytes, ranks_everywhere));
  }
  std::printf("MEASURED\n");
  std::fflush(stdout);
  if (std::getenv("TWINKLE_BENCHMARK_HOLD") != nullptr) std::cin.get();  // for whoever reads the metrics
  session.Finish().IgnoreError();
}

}  // namespace twinkle::benchmark
