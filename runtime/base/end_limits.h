// The limits of a job's end. Whoever is further out waits longer, so that each has the time to do its part in order:
//
//  who           | where                | from        | for how long            | then
//  --------------|----------------------|-------------|-------------------------|------------------------------------
//  rank          | Process::Join        | StopJob     | abort_grace             | leaves threads in user code to
//                |                      |             |                         | themselves, and ends
//  node daemon   | NodeState            | StopJob     | grace + kDaemonMargin   | SIGKILL to what is still there
//  driver        | ClusterState         | FinishJob   | grace + clearing_limit  | gives up on nodes that are silent
//  program       | ClusterJob           | FinishJob   | grace + kProgramMargin, | goes on without the driver's word
//                |                      |             | kRankMargin more a rank |
//  program       | WorkerOutput         | then        | kOutputLimit            | loses lines that are still to come;
//                |                      |             |                         | longer while some come, to a minute
//  program       | PrivateCluster       | then        | kServicesLimit          | Finish returns; a second before it,
//                |                      |             |                         | SIGKILL to its driver and daemon
//
// The last two come one after the other where nothing answers; else each takes milliseconds.
//
// Before that Finish waits for calls, at most finish_timeout. While a job runs, a rank that is still in a method
// abort_grace after its call has ended takes its group with it (Host::CancelCall). docs/errors.md says what a user
// sees.
#pragma once

#include <absl/time/time.h>

namespace twinkle::base {

// Processes keep to the grace themselves; this is for those that cannot.
inline constexpr absl::Duration kDaemonMargin = absl::Seconds(2);
inline constexpr absl::Duration kProgramMargin = absl::Seconds(5);
inline constexpr absl::Duration kRankMargin = absl::Milliseconds(20);  // a thousand end one after the other
inline constexpr absl::Duration kServicesLimit = absl::Seconds(5);     // both services together
inline constexpr absl::Duration kOutputLimit = absl::Seconds(1);

}  // namespace twinkle::base
