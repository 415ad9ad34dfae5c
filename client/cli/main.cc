// twinkle: shows a cluster, and stops jobs.
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "client/cli/cluster_client.h"
#include "client/cli/doctor.h"
#include "client/cli/memory_text.h"
#include "client/cli/status_text.h"
#include "client/cli/words.h"
#include "runtime/base/command_line.h"
#include "runtime/base/names.h"
#include "runtime/base/options_file.h"
#include "runtime/rpc/address.h"
#include "runtime/rpc/private_clusters.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/token.h"

namespace twinkle::cli {
namespace {

// The ranks whose lines `logs` shows: all of them, those of a group, or one.
struct RankChoice {
  std::string group;  // empty: of any
  int rank = -1;      // negative: any
};

struct Options {
  std::string driver;
  std::string token_file = rpc::DefaultTokenFile();
  bool json = false;
  uint64_t job = 0;
  RankChoice rank;
  bool follow = false;
  int tail = -1;
  size_t lines = 20;
  bool all = false;
  bool ended = false;
};

int Fail(const absl::Status& status) {
  std::cerr << "twinkle: " << base::PrintableLines(status.message(), "  ") << '\n';
  return 1;
}

int WithClient(const Options& options, int (*run)(const Options&, const ClusterClient&)) {
  const auto client = ClusterClient::Open(options.driver, options.token_file);
  return client.ok() ? run(options, **client) : Fail(client.status());
}

int PrintStatus(const Options& options, const ClusterClient& client) {
  const auto status = client.Status();
  if (!status.ok()) return Fail(status.status());
  if (options.ended) {
    std::cout << (options.json ? EndedJobsJson(*status, client.driver(), options.lines)
                               : EndedJobsText(*status, options.lines));
    return 0;
  }
  std::cout << (options.json ? StatusJson(*status, client.driver()) : StatusText(*status, client.driver()));
  return 0;
}

bool IsThere(const rpc::PrivateClusterFacts& one) {
  const auto all = rpc::PrivateClusters(rpc::PrivateClustersFolder());
  return std::any_of(all.begin(), all.end(), [&](const auto& other) { return other.target == one.target; });
}

// Prints the status of the named cluster, if one is named, and of the private clusters of this user and machine. A
// cluster that ends meanwhile is left out; one that does not answer is reported on stderr. As JSON it is one list.
int PrintAllStatus(const Options& options) {
  int failed = 0;
  std::vector<std::string> told;
  const auto add = [&](const std::string& driver) {
    const auto client = ClusterClient::Open(driver, options.token_file);
    if (!client.ok()) return client.status();
    const auto status = (*client)->Status();
    if (!status.ok()) return status.status();
    told.push_back(options.json ? StatusJson(*status, driver) : StatusText(*status, driver));
    return absl::OkStatus();
  };
  if (!options.driver.empty()) {
    if (const absl::Status named = add(options.driver); !named.ok()) failed = Fail(named);
  }
  const absl::Status can_look = rpc::CheckPrivateClusters(rpc::PrivateClustersFolder());
  if (!can_look.ok()) failed = Fail(can_look);
  bool none = can_look.ok();
  for (const rpc::PrivateClusterFacts& facts : rpc::PrivateClusters(rpc::PrivateClustersFolder())) {
    const std::string name = absl::StrCat("private:", facts.program);
    const absl::Status one = add(name);
    if (!one.ok() && !IsThere(facts)) continue;
    none = false;
    if (one.ok()) continue;
    failed = Fail(absl::UnavailableError(absl::StrCat(name, " does not answer: the driver of process ", facts.program,
                                                      "'s cluster is there, but stopped or busy")));
  }
  if (options.json) {
    std::cout << "[" << absl::StrJoin(told, ",") << "]\n";
    return failed;
  }
  if (none) told.push_back("no private clusters of this user on this machine\n");
  std::cout << absl::StrJoin(told, "\n");
  return failed;
}

int Stop(const Options& options, const ClusterClient& client) {
  const absl::Status stopped = client.Stop(options.job);
  if (!stopped.ok()) return Fail(stopped);
  std::cout << "job " << options.job << " is being stopped\n";
  return 0;
}

// Parses the argument rank of `logs`: "2", "policy:2" or "policy".
absl::StatusOr<RankChoice> ParseRank(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ':');
  int rank = -1;
  const bool is_rank = absl::SimpleAtoi(words.back(), &rank) && rank >= 0;
  if (words.size() > 2 || (words.size() == 2 && !is_rank)) {
    return absl::InvalidArgumentError(absl::StrCat("a rank is RANK, GROUP or GROUP:RANK, not '", text, "'"));
  }
  RankChoice choice;
  if (is_rank) choice.rank = rank;
  if (words.size() == 2 || !is_rank) choice.group = words[0];
  return choice;
}

// The names of the nodes with the processes that `wish` names. NotFound: there is no such job, group or rank.
absl::StatusOr<std::set<std::string>> NodesOf(const v1::ClusterStatus& status, const v1::WatchJob& wish) {
  std::set<std::string> nodes, groups;
  bool known = false;
  std::string no_ranks = "no ranks (any more)";
  for (const v1::ClusterStatus::Job& job : status.jobs()) {
    if (job.id() != wish.job()) continue;
    known = true;
    if (job.state() == "waiting") no_ranks = "no ranks yet: it waits for room";
    for (const v1::Process& process : job.processes()) {
      groups.insert(process.group());
      const bool is_meant = (wish.group().empty() || process.group() == wish.group()) &&
                            (wish.rank() < 0 || process.rank() == wish.rank());
      if (is_meant) nodes.insert(process.place().node());
    }
  }
  if (!known) return absl::NotFoundError(absl::StrCat("there is no job ", wish.job(), " (any more)"));
  if (!nodes.empty()) return nodes;
  const std::string has = absl::StrCat("job ", wish.job(), " has ");
  if (groups.empty()) return absl::NotFoundError(absl::StrCat(has, no_ranks));
  if (wish.group().empty()) return absl::NotFoundError(absl::StrCat(has, "no rank ", wish.rank()));
  if (groups.count(wish.group()) > 0) {
    return absl::NotFoundError(absl::StrCat(has, "no rank ", wish.rank(), " in group '", wish.group(), "'"));
  }
  return absl::NotFoundError(
      absl::StrCat(has, "no group '", wish.group(), "'; its groups are: ", absl::StrJoin(groups, ", ")));
}

// Prints the logs of all nodes at once, since a job's processes may be on many.
int PrintLogs(const Options& options, const ClusterClient& client) {
  v1::WatchJob wish;
  wish.set_job(options.job);
  wish.set_tail(options.tail);
  wish.set_follow(options.follow);
  wish.set_group(options.rank.group);
  wish.set_rank(options.rank.rank);
  const auto status = client.Status();
  if (!status.ok()) return Fail(status.status());
  const auto nodes = NodesOf(*status, wish);
  if (!nodes.ok()) return Fail(nodes.status());
  std::mutex mutex;
  int failed = 0;
  std::vector<std::thread> threads;
  for (const v1::ClusterStatus::Node& node : status->nodes()) {
    if (nodes->count(node.description().name()) == 0) continue;
    threads.emplace_back([&, description = node.description()] {
      const absl::Status watched = client.Watch(description, wish, [&](const v1::Output::Line& line) {
        const std::lock_guard lock(mutex);
        std::cout << "[" << base::Printable(line.group()) << ":" << line.rank() << " " << line.pid() << " "
                  << base::Printable(description.place().host()) << "] "
                  << base::Printable(line.text(), base::Layout::kTabsAndColours) << std::endl;
      });
      const std::lock_guard lock(mutex);
      if (!watched.ok()) failed = Fail(watched);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failed;
}

// The job that was named, or the only job of the cluster.
absl::StatusOr<uint64_t> JobMeant(const Options& options, const ClusterClient& client) {
  if (options.job != 0) return options.job;
  const auto status = client.Status();
  if (!status.ok()) return status.status();
  if (status->jobs_size() == 1) return status->jobs(0).id();
  if (status->jobs_size() == 0) return absl::NotFoundError("there are no jobs");
  return absl::InvalidArgumentError(absl::StrCat("which job? there are ", status->jobs_size(), " (twinkle status)"));
}

// Asks all processes of a job at once for their reports. Processes that cannot be asked are named on stderr.
absl::StatusOr<std::vector<ReportOfProcess>> AskAll(const ClusterClient& client, uint64_t job) {
  constexpr size_t kThreads = 16;
  const auto visit = client.Visit(job);
  if (!visit.ok()) return visit.status();
  std::mutex mutex;
  std::map<int, ReportOfProcess> reports;
  std::atomic<int> next = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int mine = next++; mine < visit->processes_size(); mine = next++) {
        const v1::Process& process = visit->processes(mine);
        auto report = client.Report(process, visit->ticket());
        const std::lock_guard lock(mutex);
        if (report.ok()) {
          reports[mine] = {process, *std::move(report)};
        } else {
          Fail(report.status());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (reports.empty()) return absl::UnavailableError("no process of the job has answered (any more, or yet)");
  std::vector<ReportOfProcess> in_order;
  in_order.reserve(reports.size());
  for (auto& [index, report] : reports) in_order.push_back(std::move(report));
  return in_order;
}

int PrintReports(const Options& options, const ClusterClient& client,
                 std::string (*text)(const Options&, uint64_t, const std::vector<ReportOfProcess>&)) {
  const auto job = JobMeant(options, client);
  if (!job.ok()) return Fail(job.status());
  const auto reports = AskAll(client, *job);
  if (!reports.ok()) return Fail(reports.status());
  std::cout << text(options, *job, *reports);
  return 0;
}

int PrintMemory(const Options& options, const ClusterClient& client) {
  return PrintReports(options, client, [](const Options& wish, uint64_t job, const auto& reports) {
    return wish.json ? MemoryJson(job, reports) : MemoryText(job, reports, wish.lines);
  });
}

int PrintMetrics(const Options& options, const ClusterClient& client) {
  return PrintReports(options, client,
                      [](const Options&, uint64_t job, const auto& reports) { return MetricsText(job, reports); });
}

int PrintFindings(const Options& options) {
  int bad = 0;
  for (const Finding& finding : Examine(options.driver, options.token_file)) {
    const char* mark = finding.level == Finding::Level::kFine   ? "ok  "
                       : finding.level == Finding::Level::kNote ? "note"
                                                                : "BAD ";
    std::cout << mark << "  " << finding.what << ": " << finding.detail << '\n';
    bad += finding.level == Finding::Level::kBad ? 1 : 0;
  }
  std::cout << (bad == 0 ? "Nothing here keeps a cluster from working.\n"
                         : "What is BAD keeps a cluster from working.\n");
  return bad == 0 ? 0 : 1;
}

std::string CheckDriver(const std::string& text) {
  if (absl::StartsWith(text, kPrivateCluster)) return "";
  return std::string(rpc::ParseHostPort(text, "a driver").status().message());
}

// Declares the options that all commands share. Each is declared once for all commands: a second declaration would take
// its value from the environment, and override the first one's value from the command line. The command line overrides
// the options file, which overrides the environment.
void AddCommon(CLI::App& app, Options& options) {
  app.add_option("--driver", options.driver,
                 "HOST:PORT of the driver, or private:PID for that program's private cluster")
      ->envname("TWINKLE_DRIVER")
      ->check(&CheckDriver);
  app.add_option("--token-file", options.token_file, "File with the cluster's token")
      ->envname("TWINKLE_TOKEN_FILE")
      ->capture_default_str();
  base::AddOptionsFile(app);
  app.fallthrough();  // allows the options behind the command, too
}

CLI::App& AddCommand(CLI::App& app, const char* name, const char* what) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer("It takes --driver, --token-file and --config, too, which twinkle --help explains.");
  return *command;
}

void AddCommands(CLI::App& app, Options& options) {
  constexpr char kJob[] = "Its number, as status shows it";
  constexpr char kOnlyJob[] = "Its number, as status shows it; not needed for the only one";
  const auto job_number = base::CountFrom(1, std::numeric_limits<int64_t>::max());
  const auto count = base::CountFrom(0);
  CLI::App& status = AddCommand(app, "status", "Nodes, devices, jobs, groups and components");
  status.add_flag("--json", options.json, "For programs");
  CLI::Option* all = status.add_flag("--all", options.all, "The private clusters of this user on this machine, too");
  CLI::Option* ended = status.add_flag("--ended", options.ended, "Instead: how jobs have ended, the last one first");
  ended->excludes(all);
  status.add_option("--lines,-n", options.lines, "With --ended: at most that many jobs")
      ->needs(ended)
      ->check(count)
      ->capture_default_str();
  CLI::App& stop = AddCommand(app, "stop", "End a job at once");
  stop.add_option("job", options.job, kJob)->required()->check(job_number);
  CLI::App& logs = AddCommand(app, "logs", "What a job's worker processes print");
  logs.add_option("job", options.job, kJob)->required()->check(job_number);
  const auto choose = [&options](const std::string& text) {
    auto choice = ParseRank(text);
    if (!choice.ok()) throw CLI::ValidationError("rank", std::string(choice.status().message()));
    options.rank = *std::move(choice);
  };
  logs.add_option_function<std::string>("rank", choose, "Of one only: RANK, GROUP or GROUP:RANK");
  logs.add_flag("--follow,-f", options.follow, "Until the job has ended");
  logs.add_option("--tail,-n", options.tail, "Begin with that many lines of each; without it with all that are kept")
      ->check(count);
  CLI::App& memory = AddCommand(app, "memory", "Who holds which results since when, and the calls that made them");
  memory.add_option("job", options.job, kOnlyJob)->check(job_number);
  memory.add_option("--lines,-n", options.lines, "At most that many lines of what is held")
      ->check(count)
      ->capture_default_str();
  memory.add_flag("--json", options.json, "For programs: all of it");
  CLI::App& metrics = AddCommand(app, "metrics", "A job's counters of bytes and objects, in Prometheus' text format");
  metrics.add_option("job", options.job, kOnlyJob)->check(job_number);
  AddCommand(app, "doctor", "What would keep a cluster from working on this machine");
}

// The error text for a first word that is no command; it names the command that may be meant.
std::string UnknownCommand(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const std::string meant = ClosestWord(word, names);
  return absl::StrCat("there is no command '", base::Printable(word), "'",
                      meant.empty() ? std::string() : absl::StrCat(": did you mean '", meant, "'?"),
                      "\nIts commands are: ", absl::StrJoin(names, ", "));
}

int Run(const CLI::App& app, const Options& options) {
  if (app.got_subcommand("status")) return options.all ? PrintAllStatus(options) : WithClient(options, &PrintStatus);
  if (app.got_subcommand("stop")) return WithClient(options, &Stop);
  if (app.got_subcommand("logs")) return WithClient(options, &PrintLogs);
  if (app.got_subcommand("memory")) return WithClient(options, &PrintMemory);
  if (app.got_subcommand("metrics")) return WithClient(options, &PrintMetrics);
  if (app.got_subcommand("doctor")) return PrintFindings(options);
  std::cout << app.help();
  return 0;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Looks at a Twinkle cluster, and stops jobs.", "twinkle");
  AddCommon(app, options);
  app.set_version_flag("--version", absl::StrCat("twinkle ", TWINKLE_VERSION, " (protocol ", rpc::kProtocol, ")"));
  app.require_subcommand(0, 1);
  AddCommands(app, options);
  const auto wrong = base::ParseCommandLine(app, argc, argv, [&](const std::string& sentence) {
    const std::vector<std::string> left = app.remaining(true);
    const bool no_command = app.get_subcommands().empty() && !left.empty() && !absl::StartsWith(left[0], "-");
    return no_command ? UnknownCommand(app, left[0]) : sentence;
  });
  if (wrong) return *wrong;
  return Run(app, options);
}

}  // namespace
}  // namespace twinkle::cli

int main(int argc, char** argv) {
  // If standard output is closed, no other file may take its number, and writing fails.
  if (::fcntl(STDOUT_FILENO, F_GETFD) < 0) {
    const int full = ::open("/dev/full", O_WRONLY);
    if (full >= 0 && full != STDOUT_FILENO) {
      ::dup2(full, STDOUT_FILENO);
      ::close(full);
    }
  }
  const int code = twinkle::cli::Main(argc, argv);
  if (std::cout.flush()) return code;
  std::cerr << "twinkle: what it has to say could not be written to its standard output\n";
  return 1;
}
