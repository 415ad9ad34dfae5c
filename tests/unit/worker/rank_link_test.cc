#include "worker/rank_link.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace twinkle::worker {
namespace {

void WriteTo(const base::Fd& fd, const std::string& text) {
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// A rank's ends in the test's hands, the daemon's on a loop that runs until something has come.
struct Rank {
  Rank() {
    RankLink::Events events{[this](const v1::FromWorker& message) {
                              said.push_back(message);
                              loop->Stop();
                            },
                            [this](bool error, const std::vector<OutputLine>& lines) {
                              for (const OutputLine& line : lines)
                                printed.push_back((error ? "error: " : "") + line.text);
                              loop->Stop();
                            },
                            [this] {
                              ++left;
                              loop->Stop();
                            }};
    auto made = RankLink::Make(loop.get(), std::move(events), &ends);
    REQUIRE(made.ok());
    link = *std::move(made);
  }

  std::unique_ptr<base::FdLoop> loop = std::make_unique<base::FdLoop>();
  RankEnds ends;
  std::vector<v1::FromWorker> said;
  std::vector<std::string> printed;
  int left = 0;  // times it was told
  std::unique_ptr<RankLink> link;
};

using Lines = std::vector<std::string>;

TEST_CASE("what a rank prints is told in lines, of each of its outputs, and the rest when it has ended") {
  Rank rank;
  WriteTo(rank.ends.output, "one\ntwo\nhal");
  WriteTo(rank.ends.error, "bad");
  rank.loop->Run();
  CHECK(rank.printed == Lines{"one", "two"});
  WriteTo(rank.ends.output, "f");
  rank.link->Drain();
  CHECK(rank.printed == Lines{"one", "two", "half", "error: bad"});
}

TEST_CASE("a progress bar that stands still is told after a moment") {
  Rank rank;
  WriteTo(rank.ends.output, "\r 50%");
  rank.loop->Run();
  CHECK(rank.printed == Lines{" 50%"});
}

TEST_CASE("a message of a rank's that is none ends the listening, not the reading of what it prints") {
  Rank rank;
  WriteTo(rank.ends.role, std::string(64, '\xff'));
  WriteTo(rank.ends.output, "alive\n");
  rank.loop->Run();
  CHECK(rank.said.empty());
  CHECK(rank.printed == Lines{"alive"});
  CHECK(rank.left == 0);
}

TEST_CASE("that a process has closed its role is told once, after what it had said, and it is read on") {
  Rank rank;
  v1::FromWorker listening;
  listening.mutable_listening()->set_socket("here");
  REQUIRE(rpc::SendMessage(rank.ends.role.get(), listening).ok());
  rank.ends.role.Reset();
  while (rank.left == 0) rank.loop->Run();
  CHECK(rank.said.size() == 1);
  WriteTo(rank.ends.output, "alive\n");
  rank.loop->Run();
  CHECK(rank.printed == Lines{"alive"});
  CHECK(rank.left == 1);
}

TEST_CASE("messages go both ways") {
  Rank rank;
  v1::FromWorker listening;
  listening.mutable_listening()->set_socket("here");
  REQUIRE(rpc::SendMessage(rank.ends.role.get(), listening).ok());
  rank.loop->Run();
  REQUIRE(rank.said.size() == 1);
  CHECK(rank.said[0].listening().socket() == "here");
  v1::ToWorker stop;
  stop.mutable_stop()->set_job(7);
  rank.link->Write(stop);
  v1::ToWorker received;
  rpc::MessageReader reader(rank.ends.role.get());
  REQUIRE(reader.Next(&received).ok());
  CHECK(received.stop().job() == 7);
}

TEST_CASE("what a process does not read waits for it, and comes in order") {
  constexpr uint64_t kMany = 3000;  // ten times what a socket takes
  Rank rank;
  for (uint64_t number = 1; number <= kMany; ++number) {
    v1::ToWorker stop;
    stop.mutable_stop()->set_job(number);
    rank.link->Write(stop);
  }
  ::fcntl(rank.ends.role.get(), F_SETFL, O_NONBLOCK);
  rpc::MessageReader reader(rank.ends.role.get());
  uint64_t last = 0;
  rank.loop->Watch(rank.ends.role.get(), [&] {
    v1::ToWorker message;
    while (*reader.Next(&message)) REQUIRE(message.stop().job() == ++last);
    if (last == kMany) rank.loop->Stop();
  });
  rank.loop->Run();
  CHECK(last == kMany);
}

}  // namespace
}  // namespace twinkle::worker
