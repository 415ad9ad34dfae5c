// The node daemon's connection, to a driver of the test's behind a real server.
#include "worker/driver_link.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/mutex.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/place.h"
#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

base::Instant Soon() { return base::Now() + absl::Seconds(30); }

// Answers a join with the number of the connection.
class FakeDriver final : public v1::Driver::CallbackService {
 public:
  using Stream = rpc::ServerStream<v1::NodeToDriver, v1::DriverToNode>;

  explicit FakeDriver(const std::string& target) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(target, grpc::InsecureServerCredentials());
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeDriver() override { server_->Shutdown(rpc::DeadlineIn(absl::ZeroDuration())); }

  grpc::ServerBidiReactor<v1::NodeToDriver, v1::DriverToNode>* Node(grpc::CallbackServerContext* context) override {
    if (rpc::MetadataOf(*context, rpc::kTokenKey) != "token") {
      return Stream::Refuse(absl::UnauthenticatedError("wrong or missing token"));
    }
    const std::shared_ptr<Stream> stream = Stream::Make();
    stream->Begin(
        {[this, stream = stream.get()](const v1::NodeToDriver& message) { OnMessage(*stream, message); }, {}});
    return stream.get();
  }
  // What was said, in short.
  std::vector<std::string> Heard(size_t most) {
    base::MutexLock lock(&mutex_);
    while (heard_.size() < most) changed_.Wait(&mutex_);
    return heard_;
  }

 private:
  void OnMessage(Stream& stream, const v1::NodeToDriver& message) {
    base::MutexLock lock(&mutex_);
    heard_.push_back(message.has_join() ? "join " + message.join().name() : message.has_alive() ? "alive" : "else");
    changed_.SignalAll();
    if (!message.has_join()) return;
    v1::DriverToNode joined;
    joined.mutable_joined()->set_node(++joined_);
    stream.Write(std::move(joined));
  }

  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::string> heard_ ABSL_GUARDED_BY(mutex_);
  uint64_t joined_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A connection's events.
struct Events {
  DriverLink::Stream::Events of() {
    return {[this](const v1::DriverToNode& message) {
              node = message.joined().node();
              joined.Set();
            },
            [this](const absl::Status& status) {
              why = status;
              ++ends;
              ended.Set();
            }};
  }
  base::Event joined, ended;
  uint64_t node = 0;
  absl::Status why;
  std::atomic<int> ends = 0;
};

v1::NodeDescription Node() {
  v1::NodeDescription node;
  node.set_name("gpu-1");
  return node;
}
v1::NodeToDriver Alive() {
  v1::NodeToDriver message;
  message.mutable_alive();
  return message;
}

TEST_CASE("a node joins first, says more in order, and hears what the driver says") {
  const std::string target = rpc::NewSocketName();
  FakeDriver driver(target);
  Events events;
  DriverLink link(target, "token");
  link.Send(Alive());  // to nobody
  link.Connect(Node(), /*patient=*/false, events.of());
  link.Send(Alive());
  CHECK(driver.Heard(2) == std::vector<std::string>{"join gpu-1", "alive"});
  REQUIRE(events.joined.WaitUntil(Soon()));
  CHECK(events.node == 1);
}

TEST_CASE("a driver that refuses the token says so") {
  const std::string target = rpc::NewSocketName();
  const FakeDriver driver(target);
  Events events;
  DriverLink link(target, "another");
  link.Connect(Node(), /*patient=*/false, events.of());
  REQUIRE(events.ended.WaitUntil(Soon()));
  CHECK(absl::IsUnauthenticated(events.why));
  CHECK_FALSE(events.joined.IsSet());
}

TEST_CASE("a driver that is not there is an end, unless it is waited for") {
  const std::string target = rpc::NewSocketName();
  Events at_once, patient;
  DriverLink link(target, "token");
  link.Connect(Node(), /*patient=*/false, at_once.of());
  REQUIRE(at_once.ended.WaitUntil(Soon()));
  CHECK(absl::IsUnavailable(at_once.why));
  link.Connect(Node(), /*patient=*/true, patient.of());
  const FakeDriver driver(target);
  CHECK(patient.joined.WaitUntil(Soon()));
  CHECK(patient.ends == 0);
  link.Close();
}

TEST_CASE("a connection has ended, and was told to have, before the next one joins; after Close nothing is told") {
  const std::string target = rpc::NewSocketName();
  FakeDriver driver(target);
  Events first, second;
  DriverLink link(target, "token");
  link.Connect(Node(), /*patient=*/false, first.of());
  REQUIRE(first.joined.WaitUntil(Soon()));
  link.Connect(Node(), /*patient=*/false, second.of());
  CHECK(first.ends == 1);
  CHECK(absl::IsCancelled(first.why));
  REQUIRE(second.joined.WaitUntil(Soon()));
  CHECK(second.node == 2);
  link.Close();
  CHECK(second.ends == 1);
  link.Send(Alive());  // dropped
  link.Close();
  CHECK(second.ends == 1);
  CHECK(driver.Heard(2) == std::vector<std::string>{"join gpu-1", "join gpu-1"});
}

}  // namespace
}  // namespace twinkle::worker
