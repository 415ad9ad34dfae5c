// The limits of a job's end. A rank, its node daemon and the driver each wait longer than those that they wait for, so
// that each can do its part. The program does not wait for all that the driver may: when a node is silent, Finish
// returns before the driver gives up on it.
//
//
//  who           | where                | from        | for how long            | then
//  --------------|----------------------|-------------|-------------------------|------------------------------------
//  rank          | Process::Join        | StopJob     | abort_grace             | leaves threads in user code to
//                |                      |             |                         | themselves, and ends
//  node daemon   | NodeState            | StopJob     | grace + kDaemonMargin   | SIGKILL to what is still there
//  driver        | ClusterState         | FinishJob   | grace + clearing_limit  | gives up on silent nodes
//  program       | ClusterJob           | FinishJob   | grace + kProgramMargin, | goes on without the driver's word
//                |                      |             | kRankMargin more a rank |
//  program       | WorkerOutput         | then        | kOutputLimit            | loses lines that are still to come;
//                |                      |             |                         | longer while some come, to a minute
//  program       | PrivateCluster       | then        | kServicesLimit          | Finish returns; a second before it,
//                |                      |             |                         | SIGKILL to its driver and daemon
//
// The program's three come one after the other where nothing answers; else each takes milliseconds.
//
// Before that Finish waits for calls, at most finish_timeout. While a job runs, a rank that is still in a method
// abort_grace after its call has ended takes its group with it (Host::CancelCall). docs/errors.md says what a user
// sees.
#pragma once

#include <absl/time/time.h>

namespace twinkle::base {

// Processes end within the grace by themselves; the margin is for those that cannot.
inline constexpr absl::Duration kDaemonMargin = absl::Seconds(2);
inline constexpr absl::Duration kProgramMargin = absl::Seconds(5);
// Per rank: a thousand ranks end one after the other.
inline constexpr absl::Duration kRankMargin = absl::Milliseconds(20);
inline constexpr absl::Duration kServicesLimit = absl::Seconds(5);  // both services together
inline constexpr absl::Duration kOutputLimit = absl::Seconds(1);

}  // namespace twinkle::base
