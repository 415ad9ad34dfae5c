#include "worker/node_state.h"

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/catch.h"
#include "tests/unit/worker/stepped_node.h"

namespace twinkle::worker {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE(
    "a job's processes start when its program is here, and listen when "
    "they are known and say so") {
  Node node;
  node.Start(1, {10, 11});
  CHECK(node.Take<BringProgram>().size() == 1);
  CHECK(node.Take<WatchProgram>().at(0).pid == 77);
  CHECK(node.Take<StartProcess>().empty());
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  CHECK(node.Take<StartProcess>().size() == 2);
  node.state.OnStarted(10, 1010, &node.effects);
  CHECK(node.Told().empty());
  node.state.OnSaid(10, Listening("a"), &node.effects);
  CHECK(node.Told() == Texts{"listens 10"});
  node.state.OnSaid(11, Listening("b"),
                    &node.effects);  // before it is known as started
  CHECK(node.Told().empty());
  node.state.OnStarted(11, 1011, &node.effects);
  node.state.OnSaid(11, Listening("c"), &node.effects);  // once is enough
  const auto told = node.Take<ToDriver>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].message.listens().pid() == 1011);
  CHECK(told[0].message.listens().endpoint().socket() == "b");
}

TEST_CASE("a program of another PID namespace is watched by nobody here") {
  Node node;
  v1::StartJob start = JobOf(1, {10});
  start.mutable_program()->mutable_place()->set_pids("others");
  node.state.OnMessage(StartMessage(start), &node.effects);
  start.set_job(2);
  start.mutable_program()->mutable_place()->set_pids("");
  node.state.OnMessage(StartMessage(start), &node.effects);
  CHECK(node.Take<WatchProgram>().empty());
}

TEST_CASE("NS1: processes whose program cannot be had are told of, with the reason") {
  Node node;
  node.Start(1, {10, 11});
  node.state.OnProgramReady(1, absl::NotFoundError("there is none"), &node.effects);
  CHECK(node.CauseOf(10) == "there is none");
  CHECK(node.Told() == Texts{"exited 10", "exited 11"});
  CHECK(node.Take<CloseProcess>().empty());
  CHECK_FALSE(node.state.idle());  // the driver has not said that it is over
  node.state.OnMessage(StopMessage(1, absl::ZeroDuration()), &node.effects);
  CHECK(node.Told() == Texts{"cleared 1"});
  CHECK(node.state.idle());
}

TEST_CASE("NS7: a program of another machine is refused by name, and nothing is brought or started for it") {
  Node node("here");
  v1::StartJob start = JobOf(1, {10, 11});
  start.mutable_program()->mutable_place()->set_machine("there");
  start.mutable_program()->mutable_place()->set_host("gpu-7");
  node.state.OnMessage(StartMessage(start), &node.effects);
  CHECK_THAT(node.CauseOf(10), ContainsSubstring("host 'gpu-7'") && ContainsSubstring("--allow-root"));
  CHECK(node.Told() == Texts{"exited 10", "exited 11"});
  CHECK(node.Take<BringProgram>().empty());
  CHECK(node.Take<WatchProgram>().empty());
  CHECK(node.Take<SetTimer>().empty());
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  CHECK(node.Take<StartProcess>().empty());
  node.state.OnMessage(StopMessage(1, absl::ZeroDuration()), &node.effects);
  CHECK(node.Told() == Texts{"cleared 1"});
  CHECK(node.state.idle());
}

TEST_CASE("NS7: programs of the node's own machine run, and those of all without the restriction") {
  v1::StartJob start = JobOf(1, {10});
  start.mutable_program()->mutable_place()->set_machine("here");
  Node own("here");
  own.state.OnMessage(StartMessage(start), &own.effects);
  CHECK(own.Take<BringProgram>().size() == 1);
  start.mutable_program()->mutable_place()->set_machine("there");
  Node open;
  open.state.OnMessage(StartMessage(start), &open.effects);
  CHECK(open.Take<BringProgram>().size() == 1);
}

TEST_CASE("NS1: a process that cannot be started is told of, the others go on") {
  Node node;
  node.Start(1, {10, 11});
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  node.state.OnNotStarted(10, "there is no folder", &node.effects);
  CHECK(node.CauseOf(10) == "there is no folder");
  CHECK(node.Told() == Texts{"exited 10"});
  CHECK(node.Take<CloseProcess>().size() == 1);
  node.state.OnStarted(11, 1011, &node.effects);
  node.state.OnSaid(11, Listening("b"), &node.effects);
  CHECK(node.Told() == Texts{"listens 11"});
}

TEST_CASE(
    "NS1, NS3: a process that ends is told of once, with its cause and its "
    "last lines") {
  Node node;
  node.StartAll(1, {10});
  node.state.OnEnded(10, {3 << 8, false, {"one", "two"}}, &node.effects);
  node.End(10);
  CHECK(node.Take<CloseProcess>().size() == 1);
  const auto told = node.Take<ToDriver>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].message.exited().cause() == "exited with code 3");
  CHECK(told[0].message.exited().last_lines_size() == 2);
}

TEST_CASE(
    "memory is named as the cause only of a SIGKILL that was not sent "
    "from here") {
  Node node;
  node.StartAll(1, {10, 11, 12});
  v1::DriverToNode end;
  end.mutable_end()->set_job(1);
  end.mutable_end()->add_processes(11);
  node.state.OnMessage(end, &node.effects);
  CHECK(node.Take<SignalProcess>().at(0).process == 11);
  node.state.OnEnded(10, {kKilled, true, {}}, &node.effects);
  node.state.OnEnded(11, {kKilled, true, {}}, &node.effects);
  node.state.OnEnded(12, {SIGSEGV, true, {}}, &node.effects);
  CHECK_THAT(node.CauseOf(10), ContainsSubstring("ran out of memory"));
  CHECK(node.CauseOf(11) == "was killed by signal 9 (SIGKILL)");
  CHECK(node.CauseOf(12) == "was killed by signal 11 (SIGSEGV)");
}

TEST_CASE("a process that outlasts the grace of its job's end is told of as such, with the way out") {
  Node node;
  node.StartAll(1, {10});
  node.state.OnMessage(StopMessage(1, absl::Seconds(5)), &node.effects);
  node.state.OnTimer(node.Take<SetTimer>().at(0), &node.effects);
  node.state.OnEnded(10, {kKilled, true, {}}, &node.effects);
  CHECK_THAT(node.CauseOf(10), ContainsSubstring("InitializeOptions.abort_grace"));
}

TEST_CASE("only a process of the job that is named can be ended") {
  Node node;
  node.StartAll(1, {10});
  node.StartAll(2, {20});
  v1::DriverToNode end;
  end.mutable_end()->set_job(1);
  end.mutable_end()->add_processes(20);
  node.state.OnMessage(end, &node.effects);
  CHECK(node.Take<SignalProcess>().empty());
}

TEST_CASE(
    "NS5: who does not reach Initialize in time is ended, and that is its "
    "cause") {
  Node node;
  node.Start(1, {10, 11});
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  node.state.OnTimer({SetTimer::Kind::kStart, 10, 1, {}},
                     &node.effects);  // not started yet: nothing to be late for
  CHECK(node.Take<SignalProcess>().empty());
  node.effects.clear();
  node.state.OnStarted(10, 1010, &node.effects);
  node.state.OnStarted(11, 1011, &node.effects);
  const auto timers = node.Take<SetTimer>();
  CHECK(timers.size() == 2);
  node.state.OnSaid(11, Listening("b"), &node.effects);
  for (const SetTimer& timer : timers) node.state.OnTimer(timer, &node.effects);
  const auto signals = node.Take<SignalProcess>();
  REQUIRE(signals.size() == 1);
  CHECK(signals[0].process == 10);
  node.End(10);
  CHECK_THAT(node.CauseOf(10), ContainsSubstring("did not reach twinkle::Initialize within 20s"));
}

TEST_CASE(
    "NS5: a program that cannot be brought in time fails its processes, "
    "and what comes later changes nothing") {
  Node node;
  node.Start(1, {10});
  const auto timers = node.Take<SetTimer>();
  REQUIRE(timers.size() == 1);
  CHECK(timers[0].after == absl::Minutes(5));
  node.state.OnTimer(timers[0], &node.effects);
  CHECK_THAT(node.CauseOf(10), ContainsSubstring("could not be brought to node 'n' within 5m"));
  node.effects.clear();
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  CHECK(node.effects.empty());
}

TEST_CASE(
    "NS2: a job with a grace is told to stop, then killed, and cleared "
    "once after its last process") {
  Node node;
  node.StartAll(1, {10, 11});
  node.state.OnMessage(StopMessage(1, absl::Seconds(5)), &node.effects);
  CHECK(node.Take<ToProcess>().size() == 2);
  CHECK(node.Take<SignalProcess>().empty());
  const auto timers = node.Take<SetTimer>();
  REQUIRE(timers.size() == 1);
  CHECK(timers[0].after == absl::Seconds(7));
  node.EndWithAll(10);
  CHECK(node.Told() == Texts{"exited 10"});
  node.state.OnTimer(timers[0], &node.effects);
  CHECK(node.Take<SignalProcess>().at(0).process == 11);
  node.End(11);
  CHECK(node.Told() == Texts{"exited 11"});  // at once; what it has started may be there
  CHECK(node.Take<DropJob>().empty());
  CHECK_FALSE(node.state.idle());
  node.state.OnCleared(11, &node.effects);
  node.state.OnCleared(11, &node.effects);
  CHECK(node.Told() == Texts{"cleared 1"});
  CHECK(node.Take<DropJob>().size() == 1);
  CHECK(node.state.idle());
  node.state.OnTimer(timers[0], &node.effects);
  CHECK(node.Told().empty());
}

TEST_CASE(
    "NS2: of a job that goes on it is told which processes are cleared, and its end waits for those that are not") {
  Node node;
  node.StartAll(1, {10, 11, 12});
  node.End(10);
  node.End(11);
  CHECK(node.Told() == Texts{"exited 10", "exited 11"});
  node.state.OnCleared(10, &node.effects);
  node.state.OnCleared(12, &node.effects);  // it has not ended
  CHECK(node.Told() == Texts{"cleared process 10"});
  node.state.OnMessage(StopMessage(1, absl::ZeroDuration()), &node.effects);
  node.EndWithAll(12);
  CHECK(node.Told() == Texts{"exited 12"});
  node.state.OnCleared(11, &node.effects);
  CHECK(node.Told() == Texts{"cleared 1"});
  CHECK(node.state.idle());
}

TEST_CASE(
    "NS1, NS2: a job whose number an earlier driver's job still has is refused at once, and its stop is answered") {
  Node node;
  node.StartAll(1, {10});
  node.state.OnDriverGone(&node.effects);
  node.effects.clear();
  node.Start(1, {10, 11});
  CHECK_THAT(node.CauseOf(11), ContainsSubstring("node 'n' still ends the job 1 of an earlier driver"));
  CHECK(node.Told() == Texts{"exited 10", "exited 11"});
  node.effects.clear();
  node.state.OnMessage(StopMessage(1, absl::Seconds(30)), &node.effects);
  CHECK(node.Told() == Texts{"cleared 1"});
  CHECK(node.effects.empty());
  node.EndWithAll(10);
  CHECK(node.Told().empty());
  CHECK(node.state.idle());
  node.Start(1, {10});
  node.state.OnMessage(StartMessage(JobOf(1, {10})), &node.effects);  // the same driver's, twice
  CHECK(node.Told().empty());
  CHECK(node.Take<BringProgram>().size() == 1);
}

TEST_CASE("NS5: the timers of an ended driver's job leave the next driver's job of the same number alone") {
  Node node;
  node.StartAll(1, {10});
  node.effects.clear();
  node.state.OnMessage(StopMessage(1, absl::Seconds(30)), &node.effects);
  const auto timers = node.Take<SetTimer>();
  REQUIRE(timers.size() == 1);
  node.EndWithAll(10);
  node.state.OnDriverGone(&node.effects);
  node.Start(1, {10});
  const SetTimer old_start{SetTimer::Kind::kStart, 10, timers[0].connection, {}};
  const SetTimer old_bring{SetTimer::Kind::kBring, 1, timers[0].connection, {}};
  node.effects.clear();
  node.state.OnTimer(old_bring, &node.effects);
  CHECK(node.effects.empty());
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  node.state.OnStarted(10, 1010, &node.effects);
  node.effects.clear();
  for (const SetTimer& timer : {timers[0], old_start}) node.state.OnTimer(timer, &node.effects);
  CHECK(node.effects.empty());
}

TEST_CASE(
    "NS1, NS2: a job that is stopped while its program is brought starts "
    "nothing") {
  Node node;
  node.Start(1, {10});
  node.state.OnMessage(StopMessage(1, absl::Seconds(5)), &node.effects);
  CHECK(node.Told() == Texts{"exited 10", "cleared 1"});
  node.effects.clear();
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  CHECK(node.effects.empty());
}

TEST_CASE(
    "a process that is being started has nothing to finish: a stop with "
    "a grace kills it") {
  Node node;
  node.Start(1, {10, 11});
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  node.state.OnStarted(11, 1011, &node.effects);
  node.state.OnMessage(StopMessage(1, absl::Seconds(5)), &node.effects);
  const auto signals = node.Take<SignalProcess>();
  REQUIRE(signals.size() == 1);
  CHECK(signals[0].process == 10);
}

TEST_CASE(
    "a job that is not known is cleared; one that is known is not begun "
    "again") {
  Node node;
  node.state.OnMessage(StopMessage(9, absl::ZeroDuration()), &node.effects);
  CHECK(node.Told() == Texts{"cleared 9"});
  node.StartAll(1, {10});
  node.Start(1, {10, 11});
  CHECK(node.Take<BringProgram>().empty());
  CHECK(node.state.FindProcess(11) == nullptr);
}

TEST_CASE("when its program is gone the driver hears it, and the job ends at once") {
  Node node;
  node.StartAll(1, {10});
  node.state.OnProgramGone(1, &node.effects);
  CHECK(node.Told() == Texts{"program gone 1"});
  CHECK(node.Take<SignalProcess>().size() == 1);
}

TEST_CASE("NS4: jobs end with their driver, and the next one hears nothing of them") {
  Node node;
  node.StartAll(1, {10});
  node.state.OnDriverGone(&node.effects);
  CHECK(node.Take<SignalProcess>().size() == 1);
  node.StartAll(2, {20});
  node.EndWithAll(10);
  CHECK(node.Told().empty());
  CHECK(node.Take<DropJob>().at(0).job == 1);
  node.End(20);
  CHECK(node.Told() == Texts{"exited 20"});
}

TEST_CASE(
    "when the spawner is gone, that is what its processes died of, and "
    "no others are started") {
  Node node;
  node.StartAll(1, {10});
  node.Start(2, {20});
  node.Start(3, {30});
  node.state.OnProgramReady(2, absl::OkStatus(), &node.effects);
  node.effects.clear();
  node.state.OnSpawnerGone("was ended with the spawner", &node.effects);
  CHECK(node.CauseOf(10) == "was ended with the spawner");
  CHECK(node.CauseOf(20) == "was ended with the spawner");
  CHECK(node.CauseOf(30) == "was ended with the spawner");
  node.Start(4, {40});
  node.state.OnProgramReady(4, absl::OkStatus(), &node.effects);
  CHECK(node.Take<StartProcess>().empty());
  CHECK(node.CauseOf(40) == "was ended with the spawner");
  node.Told();
  node.state.OnMessage(StopMessage(1, absl::ZeroDuration()), &node.effects);
  CHECK(node.Told().empty());
  node.state.OnAllCleared(&node.effects);
  CHECK(node.Told() == Texts{"cleared 1"});
}

TEST_CASE("what a process says goes to its own job, whatever it says") {
  Node node;
  node.StartAll(1, {10});
  v1::FromWorker message;
  message.mutable_end_group()->set_job(2);
  message.mutable_end_group()->set_group("policy");
  node.state.OnSaid(10, message, &node.effects);
  const auto told = node.Take<ToDriver>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].message.end_group().job() == 1);
}

TEST_CASE("NS6: what no endpoint can be is not passed on; the right one still is") {
  Node node;
  node.Start(1, {10});
  node.state.OnProgramReady(1, absl::OkStatus(), &node.effects);
  node.state.OnStarted(10, 1010, &node.effects);
  node.effects.clear();
  node.state.OnSaid(10, Listening(std::string(3 << 20, 'x')), &node.effects);
  CHECK(node.effects.empty());
  node.state.OnSaid(10, Listening("socket"), &node.effects);
  CHECK(node.Told() == Texts{"listens 10"});
}

TEST_CASE("NS6: no text of a user's makes a message long") {
  Node node;
  node.StartAll(1, {10});
  const std::string text(5 << 20, 'x');
  v1::FromWorker message;
  message.mutable_end_group()->set_group(text);
  message.mutable_end_group()->set_cause(text);
  node.state.OnSaid(10, message, &node.effects);
  node.state.OnEnded(10, {3 << 8, false, std::vector<std::string>(10, text)}, &node.effects);
  node.StartAll(2, {20});
  node.state.OnNotStarted(20, text, &node.effects);
  for (const ToDriver& told : node.Take<ToDriver>()) CHECK(told.message.ByteSizeLong() < (64 << 10));
}

TEST_CASE("NS9: a process that leaves its job without ending is killed, once, and that is its cause") {
  Node node;
  node.StartAll(1, {10, 11});
  node.state.OnLeft(10, &node.effects);
  node.state.OnLeft(10, &node.effects);
  node.state.OnLeft(12, &node.effects);  // which is not known
  CHECK(node.Take<SignalProcess>().size() == 1);
  CHECK(node.Take<Say>().at(0).text ==
        "job 1: rank policy:0 (node 'n', pid 1010) has left its job without ending: it is killed");
  node.End(10);
  CHECK_THAT(node.CauseOf(10), Catch::Matchers::StartsWith("left its job without ending, and was killed: it replaced"));
  node.End(11);
  CHECK(node.CauseOf(11) == "was killed by signal 9 (SIGKILL)");
}

TEST_CASE("peers go to their job's processes, losses to all") {
  Node node;
  node.StartAll(1, {10, 11});
  node.StartAll(2, {20});
  v1::DriverToNode peers;
  peers.mutable_peers()->set_job(1);
  node.state.OnMessage(peers, &node.effects);
  CHECK(node.Take<ToProcess>().size() == 2);
  v1::DriverToNode lost;
  lost.mutable_lost()->set_job(1);
  node.state.OnMessage(lost, &node.effects);
  CHECK(node.Take<ToProcess>().size() == 3);
}

}  // namespace
}  // namespace twinkle::worker
