// twinkle-driver: knows the nodes of a cluster, places jobs on them, keeps names. No data passes through it.
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "driver/service.h"
#include "runtime/base/end_signals.h"
#include "runtime/base/fd_loop.h"
#include "runtime/base/log.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/parent_link.h"
#include "runtime/rpc/token.h"

namespace twinkle::driver {
namespace {

struct Options {
  std::string listen = "127.0.0.1:7077";
  std::string state_folder;
  std::string token_file = rpc::DefaultTokenFile();
  std::string port_file;
  bool insecure_network = false;
  int private_fd = -1;
};

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--listen", options.listen, "HOST:PORT to serve on; port 0: one that the kernel chooses")
      ->envname("TWINKLE_LISTEN")
      ->capture_default_str();
  app.add_option("--state-dir", options.state_folder,
                 "Folder for the journal: after a restart no number is given twice; without it nothing survives")
      ->envname("TWINKLE_STATE_DIR");
  app.add_option("--token-file", options.token_file, "File with the cluster's token; made where there is none")
      ->envname("TWINKLE_TOKEN_FILE")
      ->capture_default_str();
  app.add_option("--port-file", options.port_file, "File to write the port to, once it serves");
  app.add_flag("--insecure-network", options.insecure_network,
               "Serve other machines without encryption: only in a network that you trust");
  app.add_option("--private-fd", options.private_fd)->group("");  // for private clusters
  app.set_config("--config", "", "File with these options, NAME=VALUE a line");
  app.set_version_flag("--version", std::string("twinkle-driver ") + TWINKLE_VERSION);
}

bool IsLoopback(const std::string& listen) {
  return absl::StartsWith(listen, "127.") || absl::StartsWith(listen, "localhost:") ||
         absl::StartsWith(listen, "[::1]:") || absl::StartsWith(listen, "unix");
}

int Fail(const absl::Status& status) {
  std::cerr << "twinkle-driver: " << status.message() << '\n';
  return 1;
}

// Written beside it and renamed: who waits for the file finds a whole one.
absl::Status WritePort(const std::string& file, int port) {
  const std::string fresh = file + ".new";
  std::ofstream(fresh) << port << '\n';
  if (std::rename(fresh.c_str(), file.c_str()) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("the port file ", file, " cannot be written"));
}

// Until a signal, or the end of the program that this private driver belongs to.
void WaitForEnd(base::FdLoop& loop, const rpc::ParentLink* parent) {
  const rpc::Fd fd(base::EndSignalFd());
  loop.Watch(fd.get(), [&] { loop.Stop(); });
  if (parent != nullptr) {
    loop.Watch(parent->fd(), [&] { loop.Stop(); });
    if (parent->process_fd() >= 0) loop.Watch(parent->process_fd(), [&] { loop.Stop(); });
  }
  loop.Run();
}

int Serve(const Options& options) {
  std::unique_ptr<rpc::ParentLink> parent;
  ServiceOptions service_options;
  std::string listen = options.listen;
  if (options.private_fd >= 0) {
    absl::StatusOr<rpc::ParentLink> link = rpc::ParentLink::Open(options.private_fd);
    if (!link.ok()) return Fail(link.status());
    parent = std::make_unique<rpc::ParentLink>(*std::move(link));
    service_options.token = parent->role().token;
    listen = parent->role().target;
  } else {
    absl::StatusOr<std::string> token = rpc::ReadOrMakeToken(options.token_file);
    if (!token.ok()) return Fail(token.status());
    service_options.token = *std::move(token);
  }
  if (!IsLoopback(listen) && !options.insecure_network) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("--listen ", listen,
                     " is open to other machines, and connections are not encrypted: say --insecure-network if "
                     "you trust that network, or listen on 127.0.0.1")));
  }
  service_options.cluster.version = TWINKLE_VERSION;

  absl::StatusOr<std::unique_ptr<Journal>> journal = NewMemoryJournal();
  if (!options.state_folder.empty()) journal = OpenSqliteJournal(options.state_folder);
  if (!journal.ok()) return Fail(journal.status());
  const absl::StatusOr<Restored> restored = (*journal)->Restore();
  if (!restored.ok()) return Fail(restored.status());
  std::vector<Record> ended;  // their programs were told by the end of the connection
  ended.reserve(restored->open_jobs.size());
  for (uint64_t job : restored->open_jobs) ended.push_back({Record::Kind::kJobEnded, job, "its driver ended"});
  (*journal)->Append(ended, absl::ToUnixMillis(absl::Now())).IgnoreError();

  const std::unique_ptr<base::Executor> executor = base::NewThreadExecutor();
  DriverService service(service_options, executor.get(), *std::move(journal), *restored);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  rpc::AllowWatching(builder);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return Fail(
        absl::UnavailableError(absl::StrCat("cannot listen on ", listen, ": is another driver running there?")));
  }
  if (!options.port_file.empty()) {
    if (const absl::Status written = WritePort(options.port_file, port); !written.ok()) return Fail(written);
  }
  if (parent != nullptr) {
    parent->Ready();
  } else {
    std::cout << "twinkle-driver serves on " << listen.substr(0, listen.rfind(':')) << ":" << port << ", token in "
              << options.token_file << std::endl;
  }
  base::FdLoop loop;
  WaitForEnd(loop, parent.get());
  service.Stop();
  server->Shutdown(rpc::DeadlineIn(absl::Milliseconds(500)));
  return 0;
}

}  // namespace
}  // namespace twinkle::driver

int main(int argc, char** argv) {
  twinkle::base::BlockEndSignals();
  twinkle::driver::Options options;
  CLI::App app("The driver of a Twinkle cluster: knows its nodes, places jobs on them, keeps names.");
  twinkle::driver::AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  return twinkle::driver::Serve(options);
}
