// When a connection between machines counts as dead.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace grpc {
class ChannelArguments;
class ServerBuilder;
}  // namespace grpc

namespace twinkle::rpc {

// It is the kernels that ask each other. A process that is stopped, by a debugger or with its whole machine's services,
// keeps its connections; a wire that is cut, a machine that has vanished and one that has forgotten the connection do
// not. Unix sockets have no wire: their ends hear of each other's death at once.
struct KeepAlive {
  absl::Duration time = absl::Seconds(3);     // without a word, before the other machine is asked; whole seconds
  absl::Duration timeout = absl::Seconds(7);  // without an answer, until the connection breaks on this side
};

// Of one socket; one that is not TCP's stays as it is. A socket that listens hands it on to those it accepts. The
// kernel's error if it refuses.
absl::Status SetKeepAlive(int socket, const KeepAlive& keep_alive);

// Of all connections of a channel, or of a server that is to be built. Those over a Unix socket get names by which
// their server tells them apart (incoming.h).
void SetKeepAlive(grpc::ChannelArguments& arguments, const KeepAlive& keep_alive);
void SetKeepAlive(grpc::ServerBuilder& builder, const KeepAlive& keep_alive = {});

}  // namespace twinkle::rpc
