#include "runtime/rpc/token_check.h"

#include "runtime/rpc/channel.h"
#include "runtime/rpc/secret.h"

namespace twinkle::rpc {

bool TokenCheck::Passes(const grpc::ServerContextBase& context) const {
  if (!SecretsEqual(MetadataOf(context, kTokenKey), token)) return false;
  LetIn(context.peer());
  return true;
}

void TokenCheck::LetIn(const std::string& peer) const {
  if (let_in) let_in(peer);
}

}  // namespace twinkle::rpc
