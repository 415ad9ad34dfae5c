// Who is where, in the words of all that say it.
#include "runtime/rpc/wire_place.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include "runtime/rpc/place.h"
#include "tests/support/catch.h"

namespace twinkle::rpc {
namespace {

v1::Place PlaceOn(const std::string& machine) {
  v1::Place place;
  place.set_machine(machine);
  place.set_host("gpu-1");
  place.set_pid(123);
  return place;
}

TEST_CASE("a place is a host and a pid, and nothing that a terminal obeys") {
  v1::Place place = PlaceOn("one");
  CHECK(PlaceText(place) == "gpu-1, pid 123");
  place.set_host("gpu\x1b[31m");
  CHECK(PlaceText(place) == "gpu\\x1b[31m, pid 123");
  CHECK(ThisPlace() == absl::StrCat(ThisHost(), ", pid ", ::getpid()));
}

TEST_CASE("a machine's own are reached by their socket, others by their address if they have one") {
  v1::Endpoint endpoint;
  endpoint.set_socket("unix-abstract:there");
  CHECK(TargetOf(PlaceOn("one"), endpoint, "one") == "unix-abstract:there");
  CHECK(TargetOf(PlaceOn("one"), endpoint, "another").empty());
  endpoint.set_address("gpu-1:7001");
  CHECK(TargetOf(PlaceOn("one"), endpoint, "one") == "unix-abstract:there");
  CHECK(TargetOf(PlaceOn("one"), endpoint, "another") == "gpu-1:7001");
}

}  // namespace
}  // namespace twinkle::rpc
