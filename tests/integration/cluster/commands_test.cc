// What the commands and services do with the words, the files and the variables that they are given.
#include <fstream>
#include <string>
#include <vector>

#include "tests/integration/cluster/processes.h"
#include "tests/support/catch.h"

namespace twinkle::tests {
namespace {

using Catch::Matchers::ContainsSubstring;

struct Ended {
  int code;
  std::string output;
};

Ended Run(const std::string& service, std::vector<std::string> words, const Environment& environment = {}) {
  words.insert(words.begin(), ServicePath(service));
  Child child(words, environment);
  const int code = child.Wait();
  return {code, child.Output()};
}

TEST_CASE("the command line goes before the file of options, and that before the environment") {
  const TestCluster meant({{"meant"}});
  const TestCluster other({{"other"}});
  const Environment environment = other.environment();
  const std::vector<std::string> words = {"--driver", meant.driver(), "--token-file", meant.token_file()};
  for (const bool behind : {false, true}) {
    std::vector<std::string> status = words;
    status.insert(behind ? status.begin() : status.end(), "status");
    const Ended ended = Run("twinkle", status, environment);
    CHECK(ended.code == 0);
    CHECK_THAT(ended.output, ContainsSubstring("meant") && !ContainsSubstring("other"));
  }
  const Folder folder;
  std::ofstream(folder / "options") << "driver=" << meant.driver() << "\ntoken-file=" << meant.token_file() << '\n';
  CHECK_THAT(Run("twinkle", {"status", "--config", folder / "options"}, environment).output,
             ContainsSubstring("meant"));
  CHECK_THAT(Run("twinkle", {"--config", folder / "options", "--driver", other.driver(), "status", "--token-file",
                             other.token_file()})
                 .output,
             ContainsSubstring("other"));
  CHECK(Run("twinkle", {"stop", "1", "--driver", "127.0.0.1:1"}, environment).code == 1);
  CHECK(Run("twinkle", {"status", "--token-file", "/nonexistent"}, environment).code == 1);
}

TEST_CASE("wrong words are told in a sentence that names program and option, with one exit code") {
  const auto check = [](const std::string& service, const std::vector<std::string>& words, const std::string& sentence,
                        const Environment& environment = {}) {
    const Ended ended = Run(service, words, environment);
    CAPTURE(words);
    CHECK(ended.code == 2);
    CHECK_THAT(ended.output, ContainsSubstring(service + ": " + sentence));
    CHECK(ended.output.size() < 400);
  };
  check("twinkle-worker", {"--cpus", "-3"}, "--cpus: must be a whole number from 0 on, not '-3'");
  check("twinkle-worker", {"--cpus", "abc"}, "--cpus: must be a whole number");
  check("twinkle-worker", {"--start-limit", "0"}, "--start-limit: must be a number above 0, not '0'");
  check("twinkle-worker", {}, "$TWINKLE_START_LIMIT, which stands for --start-limit: must be",
        {{"TWINKLE_START_LIMIT", "x"}});
  check("twinkle-worker", {"--cpus", "9999999999"}, "--cpus: must be a whole number from 0 to 2147483647, not");
  check("twinkle-worker", {"--devices", "cuda:1,cuda:2"}, "--devices: the devices of type cuda are given twice");
  check("twinkle-worker", {"--devices", "cuda:5000"}, "--devices: a node has at most 4096 devices of a type, not");
  check("twinkle-worker", {"--devices", "cu da:2"}, "--devices: devices are given as TYPE:COUNT, several with commas");
  check("twinkle-worker", {"--devices", "cpu:2"}, "--devices: cpu is the type of groups without devices");
  check("twinkle-worker", {"--host", ""}, "--host: is a name or an address of this machine");
  check("twinkle-worker", {"--driver", "127.0.0.1:1", "--cgroup", ""}, "--cgroup: is the folder of a control group");
  check("twinkle-driver", {"--node-lease", "1e300"}, "--node-lease: must be a number above 0, up to 2147483647, not");
  check("twinkle-worker", {"--driver", "foo"}, "--driver: a driver is HOST:PORT");
  check("twinkle-worker", {"--driver", "127.0.0.1:1", "--log-dir", "/proc/nope"}, "--log-dir: ");
  check("twinkle-worker", {"--driver", "127.0.0.1:1", "--cgroup", "/nope"}, "--cgroup: '/nope' is no control group");
  check("twinkle-driver", {"--node-lease", "abc"}, "--node-lease: must be a number above 0, not 'abc'");
  check("twinkle-driver", {"--listen"}, "--listen: ");
  check("twinkle-driver", {"--bogus"}, "The following argument was not expected: --bogus");
  for (const char* bad : {"foo", ":7", "127.0.0.1:99999"}) {
    check("twinkle", {"status", "--driver", bad}, "--driver: a driver is HOST:PORT");
  }
  check("twinkle", {"status"}, "$TWINKLE_DRIVER, which stands for --driver: a driver is", {{"TWINKLE_DRIVER", "foo"}});
  check("twinkle", {"stop", "-1"}, "job: must be a whole number from 1 on, not '-1'");
  check("twinkle", {"logs", "1", "--tail", "-1"}, "--tail: must be a whole number from 0 on, not '-1'");
  check("twinkle", {"logs", "1", "g:-1"}, "rank: a rank is RANK, GROUP or GROUP:RANK, not 'g:-1'");
  check("twinkle", {"statsu"}, "there is no command 'statsu': did you mean 'status'?");
}

TEST_CASE("what a file of options says is checked as the command line is, and the line is named") {
  const Folder folder;
  const std::string file = folder / "options";
  const auto check = [&](const std::string& text, const std::string& sentence) {
    std::ofstream(file) << text;
    for (const char* service : {"twinkle-driver", "twinkle-worker", "twinkle"}) {
      const Ended ended = Run(service, {"--config", file});
      CAPTURE(service, text);
      CHECK(ended.code == 2);
      CHECK_THAT(ended.output, ContainsSubstring(service + (": --config: line " + sentence)));
      CHECK(ended.output.size() < 400);
    }
  };
  check("# a line\n\n; and one\ntoken-fiel=x\n", "4 of its file names no option: 'token-fiel'");
  check("token-file=x\ntoken-file=y\n", "2 of its file says token-file again");
  check("config=x\n", "1 of its file names no option: 'config'");
  check("[x]\n", "1 of its file is no NAME=VALUE");
  check("token-file x\n", "1 of its file is no NAME=VALUE");
  check(std::string(3000, '\x01') + "=x", "1 of its file names no option");
  check("token-file=\"a\" rubbish\n", "1 of its file says more behind its quotes");
  check("token-file='a\n", "1 of its file has a quote that does not end");
  std::ofstream(file) << "cpus=many\n";
  CHECK_THAT(Run("twinkle-worker", {"--config", file}).output, ContainsSubstring("--cpus: must be a whole number"));
}

TEST_CASE("the values of a file of options are taken whole: lists, addresses, quotes, a remark behind them") {
  const Folder folder;
  std::ofstream(folder / "options") << " listen = [::1]:70777 # none\nwire-limits=1,2,3\ninsecure-network=true\n"
                                    << "token-file='" << folder / "a token"
                                    << "'\n";
  const Ended ended = Run("twinkle-driver", {"--config", folder / "options"});
  CHECK(ended.code == 2);
  CHECK_THAT(ended.output,
             ContainsSubstring("twinkle-driver: --listen is HOST:PORT") && ContainsSubstring("'[::1]:70777'"));
}

}  // namespace
}  // namespace twinkle::tests
