#include "runtime/actor/constructions.h"

#include "runtime/actor/life.h"
#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

using internal::LazyCore;

TEST_CASE("a component is as it was made until it is released, or one of its workers is gone") {
  Constructions constructions;
  ComponentInfo component;
  component.id = 7;
  component.workers = {1, 2};
  CHECK_FALSE(constructions.IsAsMade(component));  // made elsewhere
  CHECK(constructions.Find(7) == nullptr);
  const auto construction = std::make_shared<LazyCore>(internal::LazyOrigin());
  constructions.Add(7, construction);
  CHECK(constructions.IsAsMade(component));
  CHECK(constructions.Find(7) == construction);
  const rpc::ProcessId other = 3;
  constructions.OnGone({&other, 1});
  CHECK(constructions.IsAsMade(component));
  SECTION("released") {
    constructions.Forget(7);
    CHECK(constructions.Find(7) == nullptr);
    CHECK(constructions.size() == 0);
    constructions.Forget(7);  // by two handles
  }
  SECTION("gone") {
    constructions.OnGone({&component.workers[1], 1});
    CHECK(constructions.Find(7) == construction);
  }
  CHECK_FALSE(constructions.IsAsMade(component));
}

TEST_CASE("a life goes on, and never back") {
  Life life;
  CHECK_FALSE(life.ending());
  CHECK(life.Reach(Life::Stage::kEnding));
  CHECK(life.ending());
  CHECK_FALSE(life.stopped());
  CHECK(life.Reach(Life::Stage::kJoined));
  CHECK(life.stopped());
  CHECK_FALSE(life.Reach(Life::Stage::kStopped));  // somebody else was quicker
  CHECK(life.stopped());
}

}  // namespace
}  // namespace twinkle::actor
