// What a process is told by another one of its job.
#include <string_view>

#include "runtime/actor/messages.h"
#include "tests/fuzz/target.h"

namespace twinkle {

std::vector<std::string> fuzz::Seeds() {
  actor::CallMessage call;
  call.call = 7;
  call.method = "Train";
  call.arguments.emplace_back(actor::Pack(*codec::Encode(codec::Hold(std::string("argument")))));
  call.arguments.emplace_back(actor::PlannedArgument{{{{3, 9}, {{{1, 4}}}}}, {{{}, 1, {{0, 2}}}}});
  actor::LazyArgument lazy;
  lazy.sources = {{{3, 9}, {1}, {{codec::RowNode::Kind::kList, "", 4, 0}}}, {{3, 10}, {}, {}, true}};
  lazy.parts = {{{}, false, {{0, 1, 3}, {1, 0, 1}}}};
  call.arguments.emplace_back(std::move(lazy));
  call.info.emplace_back();
  actor::ReplyMessage reply;
  reply.call = 7;
  reply.rows = codec::Rows(3);
  const actor::Message messages[] = {std::move(call), std::move(reply), actor::NumberGrant{1, 2, 3, false},
                                     actor::PullMessage{1, 2, {}}, actor::ReleaseMessage{{1, 2, 3}}};
  std::vector<std::string> seeds;
  for (const actor::Message& message : messages) seeds.push_back(actor::EncodeMessage(message).head);
  return seeds;
}

}  // namespace twinkle

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace twinkle;  // NOLINT: a function of C
  actor::Message message;
  const rpc::Frame frame{std::string(reinterpret_cast<const char*>(data), size), {}};
  if (actor::DecodeMessage(frame, &message).ok()) actor::EncodeMessage(message);
  return 0;
}
