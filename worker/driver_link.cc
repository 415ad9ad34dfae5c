#include "worker/driver_link.h"

#include <utility>

#include "runtime/rpc/channel.h"

namespace twinkle::worker {

DriverLink::DriverLink(const std::string& target, std::string token)
    : token_(std::move(token)), stub_(v1::Driver::NewStub(rpc::NewWatchedChannel(target))) {}

void DriverLink::Connect(const v1::NodeDescription& node, Stream::Events events) {
  stream_ = Stream::Make(std::move(events));
  stream_->context().AddMetadata(rpc::kTokenKey, token_);
  stream_->context().set_wait_for_ready(true);
  rpc::KeepCallbacks();
  stub_->async()->Node(&stream_->context(), stream_.get());
  v1::NodeToDriver join;
  *join.mutable_join() = node;
  stream_->Begin();
  stream_->Write(std::move(join));
}

void DriverLink::Send(v1::NodeToDriver message) {
  if (stream_ != nullptr) stream_->Write(std::move(message));
}

void DriverLink::Cancel() {
  if (stream_ != nullptr) stream_->Cancel();
}

}  // namespace twinkle::worker
