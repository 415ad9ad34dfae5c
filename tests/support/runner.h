// Runs the test cases of this binary: for a test whose main() has something to do first.
#pragma once

namespace twinkle::tests {

// The exit status: how many cases failed, 0 when none did.
int RunTestCases(int argc, char** argv);

}  // namespace twinkle::tests
