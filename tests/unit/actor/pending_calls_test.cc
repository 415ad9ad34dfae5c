#include "runtime/actor/pending_calls.h"

#include <atomic>
#include <memory>
#include <thread>

#include "runtime/base/clock.h"
#include "tests/support/catch.h"

namespace twinkle::actor {
namespace {

using Catch::Matchers::ContainsSubstring;
using internal::LazyCore;

std::shared_ptr<LazyCore> Core() { return std::make_shared<LazyCore>(internal::LazyOrigin()); }

TEST_CASE("there is room for so many calls, and for arguments of so many bytes (PC1)") {
  PendingCalls calls(3, 1000);
  CHECK(calls.Add(1, Core(), WithoutRoom::kFail).ok());
  CHECK(calls.Add(2, Core(), WithoutRoom::kFail).ok());
  calls.SetBytes(2, 1000);
  const absl::Status full = calls.Add(3, Core(), WithoutRoom::kFail);
  CHECK(absl::IsResourceExhausted(full));
  CHECK_THAT(std::string(full.message()), ContainsSubstring("2 calls"));
  CHECK_THAT(std::string(full.message()), ContainsSubstring("1000 B of arguments (object_memory_bytes)"));
  CHECK(calls.Add(3, Core(), WithoutRoom::kAddAnyway).ok());
  calls.Remove(2);
  CHECK(calls.Add(4, Core(), WithoutRoom::kFail).ok());
  CHECK_THAT(std::string(calls.Add(5, Core(), WithoutRoom::kFail).message()), ContainsSubstring("max_pending_calls"));
  calls.SetBytes(2, 5);  // it has settled meanwhile
  for (uint64_t call : {1, 3, 4}) calls.Remove(call);
  CHECK(calls.WaitAllSettled(base::kLongAgo));
}

TEST_CASE("a thread that waits for room goes on when a large call has ended (PC1)") {
  PendingCalls calls(100, 1000);
  REQUIRE(calls.Add(1, Core(), WithoutRoom::kBlock).ok());
  calls.SetBytes(1, 5000);
  std::atomic<int> added = 0;
  const auto add = [&](uint64_t call) {
    if (calls.Add(call, Core(), WithoutRoom::kBlock).ok()) ++added;
  };
  std::thread one(add, 2), two(add, 3);
  calls.Remove(1);
  one.join();
  two.join();
  CHECK(added == 2);
}

TEST_CASE("once it is closed to threads only methods add calls, also where somebody waits for room (PC2)") {
  PendingCalls calls(1, 0);
  REQUIRE(calls.Add(1, Core(), WithoutRoom::kBlock, MadeIn::kThread).ok());
  absl::Status waited;
  std::thread waiting([&] { waited = calls.Add(2, Core(), WithoutRoom::kBlock, MadeIn::kThread); });
  calls.CloseToThreads();
  waiting.join();
  CHECK(absl::IsCancelled(waited));
  CHECK(waited.message() == "the session has ended");
  CHECK(absl::IsCancelled(calls.Add(3, Core(), WithoutRoom::kAddAnyway, MadeIn::kThread)));
  CHECK(calls.added() == 1);
  CHECK(calls.Add(4, Core(), WithoutRoom::kAddAnyway, MadeIn::kMethod).ok());
  for (uint64_t call : {1, 4}) calls.Remove(call);
  CHECK(calls.WaitAllSettled(base::kLongAgo));
}

TEST_CASE("without a bound of bytes they do not count") {
  PendingCalls calls(100, 0);
  REQUIRE(calls.Add(1, Core(), WithoutRoom::kFail).ok());
  calls.SetBytes(1, uint64_t{1} << 60);
  CHECK(calls.Add(2, Core(), WithoutRoom::kFail).ok());
}

}  // namespace
}  // namespace twinkle::actor
