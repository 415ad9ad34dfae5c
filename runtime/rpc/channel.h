// Client connections to the servers of a cluster (channels of gRPC), and the metadata that callers show on them.
#pragma once

#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/rpc/keep_alive.h"

namespace twinkle::rpc {

// The size of HTTP/2 frames, on both sides. gRPC's own sizes follow its estimate of the link. With them every fourth
// connection stayed at half the rate of the others (measured between two hosts without a limit, 1.3 and 2.7 GB/s).
inline constexpr int kFrameBytes = 1 << 20;

// Metadata keys of the credentials that a caller shows.
inline constexpr char kTokenKey[] = "twinkle-token";  // the cluster's token; shown by programs, node daemons, commands
inline constexpr char kSecretKey[] = "twinkle-secret";  // a job's secret; shown by its processes
inline constexpr char kProcessKey[] = "twinkle-process";

struct ChannelOptions {
  KeepAlive keep_alive = {};
  int longest_message = -1;  // longest message that is received, in bytes; -1: no limit
};

// A channel to `target`: "HOST:PORT", "unix:PATH" or "unix-abstract:NAME". It connects when it is first used. Does not
// block. A server that does not answer yet is tried again, at first after some milliseconds, later every second.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& target, const ChannelOptions& options = {});

// Keeps gRPC initialized until the process ends. NewChannel calls it. Thread-safe.
void KeepGrpc();

// Keeps gRPC's callback queue until the process ends. Must be called before the first use of a stub's async().
// Thread-safe.
void KeepCallbacks();

// The first value of a metadata key that the client has sent; empty: it has sent none.
std::string MetadataOf(const grpc::ServerContextBase& context, const char* key);

// The deadline `limit` from now, for gRPC. It is on the monotonic clock, so setting the wall clock does not move it.
gpr_timespec DeadlineIn(absl::Duration limit);

// Blocks until the channel is connected (true) or the deadline has passed (false).
bool WaitConnected(grpc::Channel& channel, base::Instant deadline);

}  // namespace twinkle::rpc
