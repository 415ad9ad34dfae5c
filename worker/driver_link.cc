#include "worker/driver_link.h"

#include <utility>

#include "runtime/base/clock.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/protocol.h"

namespace twinkle::worker {

DriverLink::DriverLink(const std::string& target, std::string token, const rpc::KeepAlive& keep_alive)
    : token_(std::move(token)), stub_(v1::Driver::NewStub(rpc::NewChannel(target, {.keep_alive = keep_alive}))) {}

void DriverLink::Connect(const v1::NodeDescription& node, bool patient, Stream::Events events) {
  Close();
  ended_ = std::make_shared<base::Event>();
  stream_ = Stream::Make(
      {std::move(events.on_message), [on_end = std::move(events.on_end), ended = ended_](const absl::Status& why) {
         on_end(why);
         ended->Set();
       }});
  rpc::Introduce(stream_->context(), rpc::kTokenKey, token_);
  stream_->context().set_wait_for_ready(patient);
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

void DriverLink::Close() {
  if (stream_ == nullptr) return;
  stream_->Cancel();
  ended_->WaitUntil(base::kForever);  // a cancelled call always ends
  stream_ = nullptr;
}

}  // namespace twinkle::worker
