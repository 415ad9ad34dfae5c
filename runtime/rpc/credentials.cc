#include "runtime/rpc/credentials.h"

namespace twinkle::rpc {

std::shared_ptr<grpc::ChannelCredentials> ClientCredentials() { return grpc::InsecureChannelCredentials(); }

std::shared_ptr<grpc::ServerCredentials> ServerCredentials() { return grpc::InsecureServerCredentials(); }

}  // namespace twinkle::rpc
