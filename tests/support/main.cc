#include "tests/support/runner.h"

int main(int argc, char** argv) { return twinkle::tests::RunTestCases(argc, argv); }
