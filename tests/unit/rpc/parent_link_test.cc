#include "runtime/rpc/parent_link.h"

#include <unistd.h>

#include <string>

#include "runtime/rpc/fd_channel.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("a program hears that a service serves, who it is, and that it has ended") {
  auto ends = SocketPair();
  REQUIRE(ends.ok());
  REQUIRE(Prepare(ends->first.get()).ok());
  ServiceFacts facts;
  Update(ends->first.get(), &facts);
  CHECK(facts.state == ServiceState::kStarting);
  CHECK(facts.pid == 0);
  REQUIRE(::write(ends->second.get(), "SR", 2) == 2);
  Update(ends->first.get(), &facts);
  CHECK(facts.state == ServiceState::kReady);
  CHECK(facts.pid == ::getpid());
  ends->second.Reset();
  Update(ends->first.get(), &facts);
  CHECK(facts.state == ServiceState::kEnded);
  CHECK_FALSE(facts.refuses);
}

TEST_CASE("a program hears why a service does not serve, in the service's words, up to a limit") {
  auto ends = SocketPair();
  REQUIRE(ends.ok());
  REQUIRE(Prepare(ends->first.get()).ok());
  ParentLink::Refuse(ends->second.get(), "Such words, " + std::string(100'000, '.'));
  ends->second.Reset();
  ServiceFacts facts;
  Update(ends->first.get(), &facts);
  CHECK(facts.state == ServiceState::kEnded);
  CHECK(facts.refuses);
  CHECK(facts.reason.substr(0, 13) == "Such words, .");
  CHECK(facts.reason.size() == 4096);
}

TEST_CASE("a service that is not a program's refuses to nobody") {
  ParentLink::Refuse(-1, "why");
  ParentLink::Refuse(STDOUT_FILENO, "why");  // no socket
}

}  // namespace
}  // namespace twinkle::rpc
