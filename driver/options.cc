#include "driver/options.h"

#include <absl/strings/str_cat.h>

#include "runtime/base/command_line.h"
#include "runtime/base/status.h"
#include "runtime/rpc/wire_limits.h"

namespace twinkle::driver {

void AddOptions(CLI::App& app, Options& options) {
  // For private clusters. It is read first, because errors of the other options are reported there.
  app.add_option("--private-fd", options.private_fd)->group("");
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
  const auto seconds = [&](const char* name, double& value, const char* what) {
    app.add_option(name, value, what)->check(base::NumberFrom(0, true))->capture_default_str();
  };
  seconds("--node-lease", options.node_lease_s, "Seconds that a node may be silent until it counts as gone");
  seconds("--return-grace", options.return_grace_s,
          "Seconds that a node which has gone counts as coming back, when a job wants its room");
  seconds("--clearing-limit", options.clearing_limit_s,
          "Seconds that a node may take to end a job's processes, after the grace that these have");
  app.add_option("--wire-limits", options.wire_limits,
                 "ASK,ANSWER,REDIAL in seconds: after how long without a word another machine is asked, how long it "
                 "may take to answer; the third is for programs and their processes")
      ->envname("TWINKLE_WIRE_LIMITS")
      ->check([](const std::string& text) { return std::string(rpc::ParseWireLimits(text).status().message()); });
}

absl::StatusOr<rpc::HostPort> CheckListen(const Options& options) {
  TWINKLE_ASSIGN_OR_RETURN(rpc::HostPort at, rpc::ParseHostPort(options.listen, "--listen", /*any_port=*/true));
  if (!rpc::IsLoopback(at.host) && !options.insecure_network) {
    return absl::InvalidArgumentError(
        absl::StrCat("--listen ", options.listen,
                     " is open to other machines, and connections are not encrypted: say --insecure-network if "
                     "you trust that network, or listen on 127.0.0.1"));
  }
  return at;
}

ClusterOptions ClusterOptionsFrom(const Options& options) {
  ClusterOptions cluster;
  cluster.node_lease = options.private_fd >= 0 ? absl::InfiniteDuration() : absl::Seconds(options.node_lease_s);
  cluster.return_grace = absl::Seconds(options.return_grace_s);
  cluster.clearing_limit = absl::Seconds(options.clearing_limit_s);
  return cluster;
}

}  // namespace twinkle::driver
