// Catch2, version 2 or 3. Matchers are written as in version 3
// (`Catch::Matchers::ContainsSubstring`), and Approx is `twinkle::tests::Approx`.
#pragma once

#define CATCH_CONFIG_ENABLE_ALL_STRINGMAKERS

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers_all.hpp>

namespace twinkle::tests {

using Catch::Approx;

}  // namespace twinkle::tests
#else
#include <catch2/catch.hpp>
#include <string>

namespace Catch::Matchers {

inline auto ContainsSubstring(const std::string& text) { return Contains(text); }

}  // namespace Catch::Matchers

namespace twinkle::tests {

using Catch::Detail::Approx;

}  // namespace twinkle::tests
#endif
