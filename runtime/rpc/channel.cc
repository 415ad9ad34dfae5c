#include "runtime/rpc/channel.h"

#include <grpc/grpc.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>

#include "runtime/base/clock.h"
#include "runtime/rpc/credentials.h"

namespace twinkle::rpc {

namespace {

// The time for one attempt to connect, in milliseconds. Then a new attempt begins.
constexpr int kConnectMs = 2000;

}  // namespace

std::shared_ptr<grpc::Channel> NewChannel(const std::string& target, const ChannelOptions& options) {
  KeepGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.longest_message);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 10);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytes);
  SetKeepAlive(arguments, options.keep_alive);
  return grpc::CreateCustomChannel(target, ClientCredentials(), arguments);
}

// gRPC shuts itself down once nobody uses it, in a thread of its own. A process that ends during that may crash.
void KeepGrpc() {
  static const bool kept = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(kept);
}

// gRPC frees the callback queue with the last channel that uses it, sometimes while its own threads still use it (seen
// with gRPC 1.51: an abort in grpc_cq_internal_unref on a busy machine). So a channel to nowhere uses it for ever.
void KeepCallbacks() {
  static const bool kept = [] {
    struct Call {
      grpc::ClientContext context;
      grpc::Slice nothing;
      grpc::ByteBuffer request{&nothing, 1};
      grpc::ByteBuffer reply;
    };
    static auto& stub = *new grpc::GenericStub(grpc::CreateChannel("", nullptr));
    const auto call = std::make_shared<Call>();
    stub.UnaryCall(&call->context, "/nowhere", {}, &call->request, &call->reply, [call](const grpc::Status&) {});
    return true;
  }();
  static_cast<void>(kept);
}

std::string MetadataOf(const grpc::ServerContextBase& context, const char* key) {
  const auto& all = context.client_metadata();
  const auto found = all.find(key);
  return found == all.end() ? std::string() : std::string(found->second.data(), found->second.size());
}

gpr_timespec DeadlineIn(absl::Duration limit) {
  const gpr_timespec span = gpr_time_from_nanos(absl::ToInt64Nanoseconds(limit), GPR_TIMESPAN);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), span);
}

bool WaitConnected(grpc::Channel& channel, base::Instant deadline) {
  return channel.WaitForConnected(DeadlineIn(deadline - base::Now()));
}

}  // namespace twinkle::rpc
