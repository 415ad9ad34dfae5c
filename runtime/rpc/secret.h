// Secrets by which processes know each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/ids.h"

namespace twinkle::rpc {

// 256 random bits from the kernel, in hexadecimal.
std::string NewSecret();

// With which the processes of another job are let in by those of the job with that secret: it tells them nothing about
// the secret, and serves nobody else.
std::string TicketFor(const std::string& secret, uint64_t job);

// With which the processes of the job with that secret tell commands about themselves. It opens nothing else.
std::string CommandTicket(const std::string& secret);

// The identity of the job with that secret: it tells nothing about the secret.
base::JobKey JobKeyOf(const std::string& secret);

// Takes as long whatever they are, but for their lengths. An empty secret equals none.
bool SecretsEqual(std::string_view a, std::string_view b);

}  // namespace twinkle::rpc
