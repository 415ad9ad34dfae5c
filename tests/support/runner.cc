#include "tests/support/runner.h"

#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER  // version 2 keeps all of itself in its header: here it is compiled
#include <catch2/catch.hpp>
#endif

namespace twinkle::tests {

int RunTestCases(int argc, char** argv) { return Catch::Session().run(argc, argv); }

}  // namespace twinkle::tests
