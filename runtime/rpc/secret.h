// Secrets, tickets and keys, by which processes of a job recognize each other. All functions are thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/ids.h"

namespace twinkle::rpc {

// A new secret: 256 random bits from the kernel, in hexadecimal.
std::string NewSecret();

// The ticket with which the processes of job `job` are let in by the job that has the secret. It reveals nothing about
// the secret, and serves no other job.
std::string TicketFor(const std::string& secret, uint64_t job);

// The ticket with which commands ask the processes of the job that has the secret for their reports. It opens nothing
// else.
std::string CommandTicket(const std::string& secret);

// The identity of the job that has the secret. It reveals nothing about the secret; never 0.
base::JobKey JobKeyOf(const std::string& secret);

// Compares two secrets in a time that depends on their lengths alone. An empty secret equals none.
bool SecretsEqual(std::string_view a, std::string_view b);

}  // namespace twinkle::rpc
