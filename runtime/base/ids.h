// The ids of a cluster: what each is made of, and how long it is good for. An id is never given to a second thing as
// long as anybody may hold it:
//
//   id           bits                                                  unique among
//   JobKey       63 … 0   of a digest of the job's secret              all jobs there ever are
//   ProcessId    63 … 32  number of the job                            all processes that one driver has placed
//                31 … 24  incarnation of the rank, 0 for its first
//                23 … 0   place in the job: 0 the program, then the
//                         ranks of the first group in order, and on
//   ObjectRef    the owner's ProcessId, and a number that counts up    all objects of those processes
//   component    a number that the driver, or the job's own directory, the components of that driver, or job
//                counts up; bit 62 set: an object of one process
//   domain       the component, or bit 63 and the ProcessId of the     as components
//                group's first rank
//
// Short numbers begin anew with each driver that has no state folder, each private cluster and each job in one process.
// So whatever outlives its message (a lazy, a plan, a handle) is compared by JobKey before it goes into another one:
// see actor::CheckArguments and LazyCore::Planned. The key itself is never sent: who is of the job has its secret.
#pragma once

#include <cstdint>

namespace twinkle::base {

// The key of a job; 0: no job.
using JobKey = uint64_t;

using ProcessId = uint64_t;

inline constexpr int kPlaceBits = 24;
inline constexpr int kIncarnationBits = 8;
// The low bits of a process id, below the job's number.
inline constexpr int kProcessBits = kPlaceBits + kIncarnationBits;

inline constexpr ProcessId kProgram = 0;  // the one process of a job without a number

constexpr uint64_t JobOf(ProcessId process) { return process >> kProcessBits; }
constexpr uint32_t IncarnationOf(ProcessId process) {
  return static_cast<uint32_t>(process >> kPlaceBits) & ((1U << kIncarnationBits) - 1);
}
constexpr uint32_t PlaceOf(ProcessId process) { return static_cast<uint32_t>(process) & ((1U << kPlaceBits) - 1); }
constexpr ProcessId ProcessIdOf(uint64_t job, uint32_t place, uint32_t incarnation = 0) {
  return job << kProcessBits | static_cast<uint64_t>(incarnation) << kPlaceBits | place;
}

}  // namespace twinkle::base
