// What a driver says to the program of a job, in tests of who hears it.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <vector>

#include "proto/twinkle/v1/cluster.pb.h"
#include "runtime/base/ids.h"
#include "runtime/rpc/place.h"

namespace twinkle::internal {

inline constexpr uint64_t kJob = 7;

inline base::ProcessId RankId(int rank, uint64_t job = kJob) {
  return base::ProcessIdOf(job, static_cast<uint32_t>(rank) + 1);
}

inline v1::DriverToProgram Placed(uint64_t job = kJob) {
  v1::DriverToProgram message;
  message.mutable_placed()->set_job(job);
  message.mutable_placed()->set_secret("secret");
  message.mutable_placed()->set_process(base::ProcessIdOf(job, 0));
  return message;
}
// The ranks of group 'pool', each with where it listens.
inline v1::DriverToProgram Peers(const std::vector<std::string>& ranks = {}) {
  v1::DriverToProgram message;
  message.mutable_peers()->set_job(kJob);
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    v1::Process& process = *message.mutable_peers()->add_processes();
    process.set_id(RankId(static_cast<int>(rank)));
    process.set_group("pool");
    process.set_rank(static_cast<int32_t>(rank));
    process.mutable_place()->set_machine(rpc::ThisMachine());
    process.mutable_place()->set_host("host");
    process.mutable_place()->set_pid(static_cast<int32_t>(10 + rank));
    process.mutable_endpoint()->set_socket(ranks[rank]);
  }
  return message;
}
inline v1::DriverToProgram RankLost(int rank, const std::string& cause) {
  v1::DriverToProgram message;
  message.mutable_lost()->set_job(kJob);
  message.mutable_lost()->add_losses()->set_process(RankId(rank));
  message.mutable_lost()->set_cause(cause);
  return message;
}
inline v1::DriverToProgram Ended(absl::StatusCode code = absl::StatusCode::kOk, const std::string& why = {}) {
  v1::DriverToProgram message;
  message.mutable_ended()->set_code(static_cast<int32_t>(code));
  message.mutable_ended()->set_message(why);
  return message;
}

}  // namespace twinkle::internal
