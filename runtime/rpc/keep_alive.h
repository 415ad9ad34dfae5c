// Keep-alive: when a connection between machines counts as broken.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

namespace grpc {
class ChannelArguments;
class ServerBuilder;
}  // namespace grpc

namespace twinkle::rpc {

// The limits of TCP keep-alive, by which kernels ask each other. A process that is stopped, by a debugger or with its
// whole machine's services, keeps its connections. A connection breaks when the wire is cut, when the machine has
// vanished, or when it has forgotten the connection. Unix sockets need none: the end of one side is known to the other
// at once.
struct KeepAlive {
  absl::Duration time = absl::Seconds(3);     // silence before the other machine is asked; whole seconds
  absl::Duration timeout = absl::Seconds(7);  // without an answer, before the connection breaks
};

// Sets the keep-alive of one socket. Sockets accepted from a listening socket inherit it. Sockets that are not TCP are
// left alone. Errors: those of getsockopt and setsockopt.
absl::Status SetKeepAlive(int socket, const KeepAlive& keep_alive);

// Sets the keep-alive of all connections of a channel, or of a server that is being built. Connections over a Unix
// socket also get names, by which their server recognizes them (incoming.h).
void SetKeepAlive(grpc::ChannelArguments& arguments, const KeepAlive& keep_alive);
void SetKeepAlive(grpc::ServerBuilder& builder, const KeepAlive& keep_alive = {});

}  // namespace twinkle::rpc
