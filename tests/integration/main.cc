// Of the integration tests: a test binary is also the program that worker processes of its sessions run.
#include <twinkle/twinkle.h>

#include "tests/support/runner.h"

int main(int argc, char** argv) {
  twinkle::ServeIfWorker(argc, argv);
  return twinkle::tests::RunTestCases(argc, argv);
}
