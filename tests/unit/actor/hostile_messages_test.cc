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
using Path = std::vector<uint32_t>;
const codec::Rows kList = {{codec::RowNode::Kind::kList, "", 4, 0}};
const codec::Rows kNoTree = {{codec::RowNode::Kind::kTree, "", -1, 1000}};

TEST_CASE("messages that make no sense are refused where they are decoded") {
  CHECK(Refusal(ReplyWith(kList)).ok());
  CHECK(Refusal(ReplyWith({})).ok());  // of a result that is never split
  CHECK(absl::IsInvalidArgument(Refusal(ReplyWith(kNoTree))));
  CHECK(absl::IsInvalidArgument(Refusal(ReplyWith(kList, 0))));

  CHECK(absl::IsInvalidArgument(Refusal(CallWith(HandleArgument{}))));
  CHECK(absl::IsInvalidArgument(Refusal(CallWith(PlannedArgument{{{{1, 2}, {{{-5, 2}}}}}, {}}))));
  CallMessage call;
  call.operation = static_cast<Operation>(200);
  CHECK(absl::IsInvalidArgument(Refusal(call)));
  call.operation = Operation::kConstruct;
  CHECK(absl::IsInvalidArgument(Refusal(call)));
}

TEST_CASE("a reference whose sources make no value is refused where it is decoded") {
  const auto refused = [](std::vector<WireSource> sources) {
    LazyArgument lazy;
    lazy.sources = std::move(sources);
    return absl::IsInvalidArgument(Refusal(CallWith(lazy)));
  };
  const WireSource list{{3, 9}, {}, kList};
  const WireSource item{{3, 9}, {}, {}, true};
  const WireSource whole{{3, 9}, {}, codec::Rows(1)};
  CHECK_FALSE(refused({list}));
  CHECK_FALSE(refused({whole}));
  CHECK_FALSE(refused({list, list}));
  CHECK_FALSE(refused({item, item}));
  CHECK(refused({{{3, 9}, {}, kNoTree}}));
  CHECK(refused({{{3, 9}, {}, {}}}));           // without rows
  CHECK(refused({{{3, 9}, {}, kList, true}}));  // an item with rows
  CHECK(refused({{{3, 9}, {1}, kList}}));       // a member, of which nobody says what it is for
  CHECK(refused({{{3, 9}, Path(100), kList}}));
  CHECK(refused({list, item}));
  CHECK(refused({list, whole}));  // nothing that can be joined
}

TEST_CASE("a reference whose parts are no plan over its sources is refused where it is decoded") {
  const auto refused = [](std::vector<object::PlanPart> parts) {
    LazyArgument lazy;
    lazy.sources = {{{3, 9}, {}, kList},
                    {{3, 10}, {}, {}, true},
                    {{3, 11}, {}, codec::Rows(1)},
                    {{3, 12},
                     {},
                     {{codec::RowNode::Kind::kTree, "", -1, 2},
                      {codec::RowNode::Kind::kList, "", 4, 0},
                      {codec::RowNode::Kind::kList, "", 5, 0}}}};
    lazy.parts = std::move(parts);
    return absl::IsInvalidArgument(Refusal(CallWith(lazy)));
  };
  CHECK_FALSE(refused({{{}, false, {{0, 1, 3}, {1, 0, 1}, {0, 0, 4}}}}));
  CHECK_FALSE(refused({{{0}, false, {{0, 1, 3}}}, {{1}, true, {{2, 0, 0}}}, {{2, 1}, false, {{0, 0, 2}}}}));
  CHECK(refused({{{}, false, {}}}));           // of nothing
  CHECK(refused({{{}, false, {{4, 0, 0}}}}));  // no such source
  CHECK(refused({{{}, false, {{0, 3, 1}}}}));
  CHECK(refused({{{}, false, {{0, -1, 1}}}}));
  CHECK(refused({{{}, false, {{0, 0, 5}}}}));
  CHECK(refused({{{}, false, {{1, 0, 2}}}}));  // of one item two
  CHECK(refused({{{}, false, {{3, 0, 4}}}}));  // it has no one number of rows
  CHECK(refused({{{}, false, {{2, 0, 0}}}}));  // it has none
  CHECK(refused({{{}, true, {{0, 0, 0}}}}));   // it has some
  CHECK(refused({{{}, true, {{2, 0, 0}, {2, 0, 0}}}}));
  CHECK(refused({{Path(100), false, {{0, 0, 1}}}}));
  CHECK(refused({{{0}, false, {{0, 0, 2}}}, {{1}, false, {{0, 0, 3}}}}));  // of different lengths
  CHECK(refused({{{0}, false, {{0, 0, 2}}}, {{0}, false, {{0, 0, 2}}}}));  // twice the same
  CHECK(refused({{{1, 2}, false, {{0, 0, 2}}}, {{1, 1}, false, {{0, 0, 2}}}, {{1}, false, {{0, 0, 2}}}}));
}

TEST_CASE("an argument whose parts do not fit its pieces is refused where it is decoded") {
  const auto refused = [](std::vector<PlannedPart> parts) {
    const std::vector<WirePiece> pieces = {{{1, 2}, std::nullopt}, {{1, 3}, std::nullopt}};
    return absl::IsInvalidArgument(Refusal(CallWith(PlannedArgument{pieces, std::move(parts)})));
  };
  CHECK_FALSE(refused({}));
  CHECK_FALSE(refused({{{0}, 1, {}}, {{1}, 1, {}}}));
  CHECK(refused({{{0}, 1, {}}}));
  CHECK(refused({{{0}, 1, {}}, {{1}, UINT64_MAX, {}}}));
  CHECK(refused({{{}, 2, {{3, 1}}}}));
  CHECK(refused({{Path(100), 2, {}}}));
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
