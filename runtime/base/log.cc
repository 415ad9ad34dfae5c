#include "runtime/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace twinkle::base {
namespace {

spdlog::level::level_enum LevelFromEnvironment() {
  const char* asked = std::getenv("TWINKLE_LOG");
  return asked == nullptr ? spdlog::level::warn : spdlog::level::from_str(asked);
}

spdlog::logger& Logger() {              // made on first use; the user's own spdlog registry is left alone
  static spdlog::logger* logger = [] {  // never destroyed: threads may outlive static destructors
    auto* made = new spdlog::logger("twinkle", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ twinkle: %v");
    made->set_level(LevelFromEnvironment());
    return made;
  }();
  return *logger;
}

}  // namespace

void Log(LogLevel level, absl::string_view message) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                   spdlog::level::err};
  Logger().log(kLevels[static_cast<int>(level)], "{}", std::string(message));
}

}  // namespace twinkle::base
