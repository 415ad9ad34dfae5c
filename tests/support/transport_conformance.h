// What every Transport must do, whatever carries the frames. A test of an implementation runs each check over a fixture
// of its own:
//
//   for (const TransportCheck& check : TransportChecks()) {
//     DYNAMIC_SECTION(check.name) {
//       MyFixture fixture;
//       check.run(fixture);
//     }
//   }
#pragma once

#include <memory>
#include <vector>

#include "runtime/rpc/transport.h"

namespace twinkle::rpc {

// The processes of a job that have nothing to do but to talk to each other.
class TransportFixture {
 public:
  virtual ~TransportFixture() = default;

  // A process that takes part from now on; the check starts it. The fixture outlives the transport.
  virtual std::unique_ptr<Transport> Join(ProcessId id) = 0;

  // The process is gone without a word: no Close.
  virtual void Kill(ProcessId id) = 0;

  // From now on the data stream from one to the other brings nothing, until ReleaseData. False: this implementation
  // has no means to arrange that; then its data streams are held up by what takes long to carry.
  virtual bool HoldData(ProcessId from, ProcessId to) = 0;
  virtual void ReleaseData(ProcessId from, ProcessId to) = 0;

  // Every connection between the two breaks, though both live; they may make new ones at once. Nothing happens where
  // there is no wire between them.
  virtual void Cut(ProcessId, ProcessId) {}
};

struct TransportCheck {
  const char* name;  // a sentence, with the invariant that it is about
  void (*run)(TransportFixture& fixture);
};
const std::vector<TransportCheck>& TransportChecks();

}  // namespace twinkle::rpc
