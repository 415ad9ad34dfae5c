// The command line of twinkle-driver.
#pragma once

#include <absl/status/statusor.h>

#include <CLI/CLI.hpp>
#include <string>

#include "driver/cluster_state.h"
#include "runtime/rpc/address.h"

namespace twinkle::driver {

struct Options {
  std::string listen = "127.0.0.1:7077";
  std::string state_folder;
  std::string token_file;
  std::string port_file;
  bool insecure_network = false;
  double node_lease_s = 20;
  double return_grace_s = 30;
  double clearing_limit_s = 10;
  std::string wire_limits;  // as rpc::ParseWireLimits
  int private_fd = -1;
};

// Declares the options, with the values in `options` as their defaults. Once the application has parsed a command line,
// `options` holds its values.
void AddOptions(CLI::App& app, Options& options);

// Where to listen. InvalidArgument: it is no HOST:PORT, or can be reached from other machines without
// --insecure-network.
absl::StatusOr<rpc::HostPort> CheckListen(const Options& options);

ClusterOptions ClusterOptionsFrom(const Options& options);

}  // namespace twinkle::driver
