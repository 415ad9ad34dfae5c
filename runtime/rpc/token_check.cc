#include "runtime/rpc/token_check.h"

#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {

absl::Status TokenCheck::Check(const grpc::ServerContextBase& context) const {
  TWINKLE_RETURN_IF_ERROR(CheckProtocol(context));
  if (!SecretsEqual(MetadataOf(context, kTokenKey), token)) {
    return absl::UnauthenticatedError(
        "wrong or missing token: set TWINKLE_TOKEN_FILE (or --token-file) to a file with the driver's token");
  }
  LetIn(context.peer());
  return absl::OkStatus();
}

absl::Status TokenCheck::CheckProtocol(const grpc::ServerContextBase& context) const {
  return rpc::CheckProtocol(self, "who calls it", MetadataOf(context, kProtocolKey));
}

void TokenCheck::LetIn(const std::string& peer) const {
  if (let_in) let_in(peer);
}

}  // namespace twinkle::rpc
