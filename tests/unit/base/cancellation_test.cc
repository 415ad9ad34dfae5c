#include "runtime/base/cancellation.h"

#include <absl/strings/match.h>

#include <atomic>
#include <thread>

#include "tests/support/catch.h"

namespace twinkle::base {
namespace {

TEST_CASE("the first reason stays (CN1)") {
  Cancellation cancellation;
  CHECK_FALSE(cancellation.IsCancelled());
  CHECK(cancellation.why().ok());
  CHECK(cancellation.Cancel(absl::AbortedError("first")));
  CHECK_FALSE(cancellation.Cancel(absl::CancelledError("second")));
  CHECK(cancellation.flag());
  CHECK(cancellation.why() == absl::AbortedError("first"));
}

TEST_CASE("a thread that waits leaves when its work is cancelled, one that waits for itself does not (CN2)") {
  for (int round = 0; round < 200; ++round) {
    Event event;
    Cancellation cancellation;
    std::atomic<int> left = 0;
    std::thread cancelled([&] {
      const CancellationScope scope(&cancellation);
      CHECK(CurrentCancellation() == &cancellation);
      CHECK_FALSE(WaitUnlessCancelled(event, kForever));
      ++left;
    });
    std::thread other([&] {
      CHECK(WaitUnlessCancelled(event, kForever));
      CHECK(left == 1);
    });
    if (round % 2 == 0) std::this_thread::yield();
    cancellation.Cancel(absl::CancelledError("enough"));
    cancelled.join();
    event.Set();
    other.join();
  }
}

TEST_CASE("what is there already is given, cancelled or not; and a deadline holds") {
  Event event;
  Cancellation cancellation;
  const CancellationScope scope(&cancellation);
  CHECK_FALSE(WaitUnlessCancelled(event, kLongAgo));
  event.Set();
  cancellation.Cancel(absl::CancelledError("enough"));
  CHECK(WaitUnlessCancelled(event, kForever));
}

TEST_CASE("the code of what is given up says whether somebody cancelled, time passed, or a process is gone") {
  CHECK(absl::IsCancelled(GivenUp("A.F", absl::CancelledError("x"))));
  CHECK(absl::IsDeadlineExceeded(GivenUp("A.F", absl::DeadlineExceededError("x"))));
  CHECK(absl::IsAborted(GivenUp("A.F", absl::AbortedError("x"))));
  const absl::Status peers = GivenUp("A.F", absl::UnknownError("another rank failed"));
  CHECK(absl::IsCancelled(peers));
  CHECK(absl::StrContains(peers.message(), "A.F: the call that it was made for has ended: another rank failed"));
}

}  // namespace
}  // namespace twinkle::base
