// A test binary that is also the programs which its tests start: --program NAME.
#include <string>

#include "tests/integration/cluster/programs.h"
#include "tests/support/runner.h"

int main(int argc, char** argv) {
  if (argc > 2 && std::string(argv[1]) == "--program") return twinkle::tests::RunProgram(argv[2], argc, argv);
  twinkle::ServeIfWorker(argc, argv);
  return twinkle::tests::RunTestCases(argc, argv);
}
