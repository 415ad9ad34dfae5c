// What a peer sends that is no message, or one that makes no sense: it is given up, and nobody waits for it.
#include <absl/strings/match.h>

#include <string>
#include <utility>

#include "runtime/actor/check_message.h"
#include "runtime/actor/messages.h"
#include "tests/support/catch.h"
#include "tests/unit/actor/liar.h"
#include "tests/unit/actor/steps.h"

namespace twinkle::actor::steps {
namespace {

using tests::CpuGroup;
using tests::StatusOf;

template <class M>
absl::Status Refusal(const M& message) {
  Message decoded;
  return DecodeMessage(EncodeMessage(message), &decoded);
}

ReplyMessage ReplyWith(codec::Rows rows, uint64_t object = 7) {
  ReplyMessage reply;
  reply.call = 1;
  reply.object = object;
  reply.rows = std::move(rows);
  return reply;
}
CallMessage CallWith(WireArgument argument) {
  CallMessage call;
  call.call = 1;
  call.arguments.push_back(std::move(argument));
  return call;
}
const codec::Rows kList = {{codec::RowNode::Kind::kList, "", 4, 0}};
const codec::Rows kNoTree = {{codec::RowNode::Kind::kTree, "", -1, 1000}};

TEST_CASE("messages that make no sense are refused where they are decoded") {
  CHECK(Refusal(ReplyWith(kList)).ok());
  CHECK(Refusal(ReplyWith({})).ok());  // of a result that is never split
  CHECK(absl::IsInvalidArgument(Refusal(ReplyWith(kNoTree))));
  CHECK(absl::IsInvalidArgument(Refusal(ReplyWith(kList, 0))));

  LazyArgument lazy;
  lazy.objects = {{3, 9}};
  lazy.rows = {kList};
  CHECK(Refusal(CallWith(lazy)).ok());
  lazy.rows = {kNoTree};
  CHECK(absl::IsInvalidArgument(Refusal(CallWith(lazy))));
  lazy.rows = {kList, kList};
  CHECK(absl::IsInvalidArgument(Refusal(CallWith(lazy))));
  lazy.rows = {kList};
  lazy.view = codec::Range{3, 1};
  CHECK(absl::IsInvalidArgument(Refusal(CallWith(lazy))));
  lazy.view.reset();
  lazy.join = static_cast<object::Join>(77);
  CHECK(absl::IsInvalidArgument(Refusal(CallWith(lazy))));

  CHECK(absl::IsInvalidArgument(Refusal(CallWith(HandleArgument{}))));
  CHECK(absl::IsInvalidArgument(Refusal(CallWith(PulledArgument{object::Join::kConcat, {{{1, 2}, {{{-5, 2}}}}}}))));
  CallMessage call;
  call.operation = static_cast<Operation>(200);
  CHECK(absl::IsInvalidArgument(Refusal(call)));
  call.operation = Operation::kConstruct;
  CHECK(absl::IsInvalidArgument(Refusal(call)));
}

TEST_CASE("numbers that nobody could use are refused before memory is taken for them") {
  constexpr uint64_t kMany = uint64_t{1} << 60;
  CHECK(Refusal(NumberGrant{1, 1, 3, false}).ok());
  CHECK(absl::IsInvalidArgument(Refusal(NumberGrant{1, 1, kMany, false})));
  CHECK(absl::IsInvalidArgument(Refusal(NumberGrant{1, UINT64_MAX, 1, false})));
  CHECK(absl::IsInvalidArgument(Refusal(NumberRequest{1, kMany, {1}})));
  CHECK(absl::IsInvalidArgument(Refusal(NumberRequest{1, 1, {}})));
  CHECK(absl::IsInvalidArgument(Refusal(RecalledMessage{1, UINT64_MAX})));
  CHECK(absl::IsInvalidArgument(Refusal(LastReply{1, 2, UINT64_MAX})));
}

TEST_CASE("who answers a call with what is no message is lost to the caller, whose calls fail") {
  for (const std::string& answer : {std::string("garbage"), std::string(), EncodeMessage(ReplyWith(kNoTree)).head}) {
    Stage job({CpuGroup("honest", 1), CpuGroup("liar", 1)});
    const auto honest = job.Make<Recorder>("honest");
    job.Run();
    Liar liar(job, job.Id("liar"), answer);
    const auto made = job.Make<Recorder>("liar");
    const Lazy<void> call = made.Add("x");
    job.Run();
    CHECK(absl::IsAborted(StatusOf(call)));
    CHECK(absl::StrContains(StatusOf(call).message(), "it has sent what is no message"));
    CHECK(absl::StrContains(liar.lost().message(), "it has given up this process"));
    const Lazy<void> fine = honest.Add("fine");
    job.Run();
    CHECK(StatusOf(fine).ok());
    CHECK(job.IsIdle());
  }
}

TEST_CASE("an answer that brings no result fails its call") {
  Stage job({CpuGroup("liar", 1)});
  const Liar liar(job, job.Id("liar"), [](const rpc::Frame& received) {
    Message message;
    CHECK(DecodeMessage(received, &message).ok());
    ReplyMessage reply;
    if (const auto* call = std::get_if<CallMessage>(&message)) reply.call = call->call;
    return EncodeMessage(reply).head;
  });
  const auto made = job.Make<Recorder>("liar");
  const Lazy<std::string> text = made.Text();
  job.Run();
  CHECK(absl::StrContains(StatusOf(text).ToString(), "INTERNAL"));
  CHECK(absl::StrContains(StatusOf(text).message(), "its answer brings no result"));
}

}  // namespace
}  // namespace twinkle::actor::steps
