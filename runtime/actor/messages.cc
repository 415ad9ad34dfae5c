#include "runtime/actor/messages.h"

#include <absl/strings/string_view.h>

#include "runtime/actor/check_message.h"

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
  const absl::Status decoded =
      codec::Decode(internal::kType<Message>, message, frame.head, frame.buffers, {.open_ended = true});
  if (decoded.ok()) return CheckMessage(*message);
  // Without the name of the type, which is that of all messages.
  const absl::string_view text = decoded.message();
  const size_t reason = text.rfind(": ");
  return absl::Status(decoded.code(), reason == absl::string_view::npos ? text : text.substr(reason + 2));
}

}  // namespace twinkle::actor
