#include "runtime/actor/messages.h"

#include "runtime/actor/check_message.h"
#include "runtime/base/status.h"

namespace twinkle::actor {

const char* OperationName(Operation operation) {
  switch (operation) {
    case Operation::kConstruct:
      return "constructor";
    case Operation::kProbe:
      return "WaitReady";
    case Operation::kDestroy:
      return "Release";
    case Operation::kMethod:
      break;
  }
  return "";
}

rpc::Frame EncodeMessageAs(size_t which, const void* message) {
  constexpr size_t kUsualBytes = 240;  // of a call with small arguments; transports add some
  return *codec::EncodeAlternative(internal::kType<Message>, which, message, codec::kOutOfBand, kUsualBytes);
}

rpc::Frame EncodeMessage(const Message& message) {
  return std::visit([&](const auto& m) { return EncodeMessageAs(message.index(), &m); }, message);
}

absl::Status DecodeMessage(const rpc::Frame& frame, Message* message) {
  TWINKLE_RETURN_IF_ERROR(codec::Decode(internal::kType<Message>, message, frame.head, frame.buffers));
  return CheckMessage(*message);
}

}  // namespace twinkle::actor
