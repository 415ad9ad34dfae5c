// Connections to servers of a cluster, and what is shown to them.
#pragma once

#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::rpc {

// Of HTTP/2, on both sides: with gRPC's own, which follow its estimate of the link, every fourth connection stayed at
// half the rate of the others (measured between two hosts without a limit, 1.3 and 2.7 GB/s).
inline constexpr int kFrameBytes = 1 << 20;

// Metadata keys of what a caller shows.
inline constexpr char kTokenKey[] = "twinkle-token";    // the cluster's token: programs, node daemons, commands
inline constexpr char kSecretKey[] = "twinkle-secret";  // a job's secret: its processes
inline constexpr char kProcessKey[] = "twinkle-process";

struct ChannelOptions {
  KeepAlive keep_alive = {};
  int longest_message = -1;  // that is taken, in bytes; -1: no limit
};

// "HOST:PORT", "unix:PATH" or "unix-abstract:NAME". Made at once, connected when it is first used; a server that is not
// there yet is tried again every few milliseconds at first, every second at last.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& target, const ChannelOptions& options = {});

// gRPC stays up until the process ends. NewChannel does it, too.
void KeepGrpc();

// Before a stub's async() is used: the queue on which gRPC calls back stays up until the process ends.
void KeepCallbacks();

// The first value of that key a client sent; empty if none.
std::string MetadataOf(const grpc::ServerContextBase& context, const char* key);

// What gRPC is given as a deadline: the time that is left, so that nobody who sets the clock moves it.
gpr_timespec DeadlineIn(absl::Duration limit);

// Blocks until the channel is connected (true) or the deadline.
bool WaitConnected(grpc::Channel& channel, base::Instant deadline);

}  // namespace twinkle::rpc
