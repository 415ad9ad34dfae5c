#include "runtime/rpc/secret.h"

#include <set>
#include <string>

#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

TEST_CASE("secrets are equal or not; an empty one equals none") {
  const std::string one = NewSecret();
  CHECK(one.size() == 64);
  CHECK(SecretsEqual(one, one));
  CHECK_FALSE(SecretsEqual(one, NewSecret()));
  CHECK_FALSE(SecretsEqual(one, one.substr(1)));
  CHECK_FALSE(SecretsEqual("", ""));
}

TEST_CASE("a ticket is good for one secret, one purpose and one job") {
  const std::set<std::string> all = {TicketFor("a", 0), TicketFor("a", 1),  TicketFor("b", 0),
                                     TicketFor("b", 1), CommandTicket("a"), CommandTicket("b")};
  CHECK(all.size() == 6);
  CHECK(TicketFor("a", 1) == TicketFor("a", 1));
}

}  // namespace
}  // namespace twinkle::rpc
