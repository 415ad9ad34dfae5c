// twinkle-driver: knows the nodes of a cluster, places jobs on them, and keeps the names of components. No user data
// passes through it.
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "driver/options.h"
#include "driver/port_file.h"
#include "driver/service.h"
#include "runtime/base/command_line.h"
#include "runtime/base/descriptor_table.h"
#include "runtime/base/end_signals.h"
#include "runtime/base/fd_loop.h"
#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/base/options_file.h"
#include "runtime/base/say_line.h"
#include "runtime/base/service_start.h"
#include "runtime/base/shortage.h"
#include "runtime/base/status.h"
#include "runtime/base/threads.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/listener.h"
#include "runtime/rpc/parent_link.h"
#include "runtime/rpc/private_clusters.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/token.h"
#include "runtime/rpc/wire_limits.h"

namespace twinkle::driver {
namespace {

constexpr absl::Duration kAnswerLimit = absl::Milliseconds(500);  // for calls to end by themselves when the driver ends
constexpr unsigned int kEndLimitSeconds = 5;                      // for the driver's whole end

// Reports to the program to which a private driver belongs.
void TellProgram(const Options& options, absl::string_view why) {
  if (options.private_fd >= 0) rpc::ParentLink::Refuse(options.private_fd, why);
}

int Fail(const Options& options, const absl::Status& status) {
  TellProgram(options, status.message());
  std::cerr << "twinkle-driver: " << base::PrintableLines(status.message(), "  ") << '\n';
  return 1;
}

int64_t UnixMs() { return absl::ToUnixMillis(absl::Now()); }

// Writes a line with the time to the driver's log.
void Say(const std::string& line) {
  const std::string time = absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::Now(), absl::LocalTimeZone());
  base::SayLine(STDERR_FILENO, absl::StrCat(time, " twinkle-driver: ", line));
}

// Opens the journal, and reads what an earlier driver has kept. The jobs of that driver have ended with it; their
// programs saw it by their connections' end.
absl::StatusOr<std::unique_ptr<Journal>> OpenJournal(const std::string& folder, Restored* restored) {
  if (folder.empty()) return NewMemoryJournal();
  TWINKLE_ASSIGN_OR_RETURN(std::unique_ptr<Journal> journal, OpenSqliteJournal(folder));
  TWINKLE_ASSIGN_OR_RETURN(*restored, journal->Restore());
  std::vector<Record> ended;
  for (uint64_t job : restored->open_jobs) ended.push_back({Record::Kind::kJobEnded, job, "its driver ended"});
  TWINKLE_RETURN_IF_ERROR(journal->Append(ended, UnixMs()));
  return journal;
}

// Waits until a signal can be read from `end`, or the program to which this private driver belongs has ended.
void WaitForEnd(base::FdLoop& loop, int end, const rpc::ParentLink* parent) {
  loop.Watch(end, [&] { loop.Stop(); });
  if (parent != nullptr) {
    loop.Watch(parent->fd(), [&] { loop.Stop(); });
    if (parent->process_fd() >= 0) loop.Watch(parent->process_fd(), [&] { loop.Stop(); });
  }
  loop.Run();
}

// Limits the time that the driver's end may take, whatever hangs (a disk, say), and even if no thread can be had.
void LimitEnd() {
  std::signal(SIGALRM, [](int) {
    constexpr char kText[] = "twinkle-driver: it does not end by itself in time\n";
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&out, 1, 0) == 1) (void)!::write(STDERR_FILENO, kText, sizeof(kText) - 1);
    ::_exit(1);
  });
  ::alarm(kEndLimitSeconds);
}

struct Start {
  std::unique_ptr<rpc::ParentLink> parent;  // of a private driver
  std::unique_ptr<rpc::Listener> listener;
  std::string host;  // the host on which it listens, for texts
  std::string token;
  std::unique_ptr<Journal> journal;
  Restored restored;
};

// Starts a private driver. `start` has the link to the program even if this fails.
absl::Status PrivateStart(int fd, Start* start) {
  TWINKLE_ASSIGN_OR_RETURN(rpc::ParentLink link, rpc::ParentLink::Open(fd));
  start->parent = std::make_unique<rpc::ParentLink>(std::move(link));
  start->token = start->parent->role().token;
  TWINKLE_ASSIGN_OR_RETURN(start->listener, rpc::Listener::Open({.socket = start->parent->role().target}));
  start->journal = NewMemoryJournal();
  return absl::OkStatus();
}

// Starts a driver of its own. The token is made last, so that a driver that does not start leaves none.
absl::Status PublicStart(const Options& options, Start* start) {
  const base::EndSignalsEnd may_hang;  // on the disk of the journal or the token
  TWINKLE_ASSIGN_OR_RETURN(const rpc::HostPort at, CheckListen(options));
  TWINKLE_ASSIGN_OR_RETURN(const rpc::WireLimits wires, rpc::ParseWireLimits(options.wire_limits));
  absl::StatusOr<std::unique_ptr<rpc::Listener>> listener =
      rpc::Listener::Open({.host = at.host, .port = at.port, .keep_alive = wires.services});
  if (!listener.ok()) return base::Annotate(listener.status(), absl::StrCat("cannot serve on ", options.listen));
  start->listener = *std::move(listener);
  start->host = at.host;
  TWINKLE_ASSIGN_OR_RETURN(start->journal, OpenJournal(options.state_folder, &start->restored));
  TWINKLE_ASSIGN_OR_RETURN(start->token, rpc::ReadOrMakeToken(options.token_file));
  return absl::OkStatus();
}

// The record by which commands find a private cluster. Without one the driver serves all the same.
std::optional<rpc::PrivateClusterRecord> RecordOf(const Start& start) {
  auto record = rpc::PrivateClusterRecord::Write(rpc::PrivateClustersFolder(),
                                                 {start.parent->program(), start.parent->role().target, start.token});
  if (record.ok()) return *std::move(record);
  base::Log(base::LogLevel::kInfo, record.status().message());
  return std::nullopt;
}

int Serve(const Options& options, Start start) {
  base::WidenDescriptorTable();
  if (const absl::Status threads = base::TryThreads(1); !threads.ok()) return Fail(options, threads);
  ConductorOptions conductor{.cluster = ClusterOptionsFrom(options), .unix_ms = &UnixMs, .new_secret = &rpc::NewSecret};
  conductor.cluster.version = TWINKLE_VERSION;
  if (start.parent == nullptr) conductor.say = &Say;
  const std::unique_ptr<base::Executor> executor = base::NewThreadExecutor();
  DriverService service(
      {"this twinkle-driver", start.token, [&start](const std::string& peer) { start.listener->LetIn(peer); }},
      std::move(conductor), executor.get(), std::move(start.journal), start.restored);
  if (const absl::Status ready = service.Check(); !ready.ok()) return Fail(options, ready);
  grpc::ServerBuilder builder;
  start.listener->Attach(builder);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return Fail(options, absl::InternalError("the server does not start"));
  if (const absl::Status accepts = start.listener->Start(); !accepts.ok()) return Fail(options, accepts);
  const int port = start.listener->port();
  const base::Fd end(base::EndSignalFd());
  if (!options.port_file.empty()) {
    const absl::Status written = WritePort(options.port_file, port, end.get());
    if (!written.ok()) return Fail(options, written);
  }
  const auto record = start.parent != nullptr ? RecordOf(start) : std::nullopt;
  if (start.parent != nullptr) {
    start.parent->Ready();
  } else {
    base::SayLine(STDOUT_FILENO, absl::StrCat("twinkle-driver serves on ", rpc::JoinHostPort(start.host, port),
                                              ", token in ", options.token_file));
  }
  base::FdLoop loop;
  WaitForEnd(loop, end.get(), start.parent.get());
  LimitEnd();
  start.listener->Close();
  service.Stop();
  server->Shutdown(rpc::DeadlineIn(kAnswerLimit));
  return 0;
}

int Main(int argc, char** argv) {
  Options options;
  options.token_file = rpc::DefaultTokenFile();
  CLI::App app("The driver of a Twinkle cluster: knows its nodes, places jobs on them, keeps names.", "twinkle-driver");
  AddOptions(app, options);
  base::AddOptionsFile(app);
  app.set_version_flag("--version",
                       absl::StrCat("twinkle-driver ", TWINKLE_VERSION, " (protocol ", rpc::kProtocol, ")"));
  const auto tell = [&](const std::string& sentence) {
    TellProgram(options, sentence);
    return sentence;
  };
  if (const auto wrong = base::ParseCommandLine(app, argc, argv, tell)) return *wrong;
  if (const auto at = CheckListen(options); options.private_fd < 0 && !at.ok()) {
    return base::ReportWrongArguments(app, std::string(at.status().message()));
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a journal that may not grow reports an error instead
  if (const absl::Status able = base::CheckProcess(); !able.ok()) return Fail(options, able);
  Start start;
  const absl::Status begun =
      options.private_fd >= 0 ? PrivateStart(options.private_fd, &start) : PublicStart(options, &start);
  return begun.ok() ? Serve(options, std::move(start)) : Fail(options, begun);
}

}  // namespace
}  // namespace twinkle::driver

int main(int argc, char** argv) {
  twinkle::base::BeginService();
  return twinkle::driver::Main(argc, argv);
}
