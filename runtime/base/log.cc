#include "runtime/base/log.h"

#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/line_folder.h"
#include "runtime/base/mutex.h"
#include "runtime/base/names.h"
#include "runtime/base/say_line.h"

namespace twinkle::base {
namespace {

// The levels' names, which differ in part from spdlog's.
struct LevelName {
  absl::string_view name;
  spdlog::level::level_enum level;
};
constexpr LevelName kLevelNames[] = {{"debug", spdlog::level::debug},
                                     {"info", spdlog::level::info},
                                     {"warning", spdlog::level::warn},
                                     {"error", spdlog::level::err}};

// The level of that name; nothing: there is none.
std::optional<spdlog::level::level_enum> LevelNamed(absl::string_view asked) {
  for (const LevelName& one : kLevelNames) {
    if (one.name == asked) return one.level;
  }
  return std::nullopt;
}

// Writes to stderr without waiting for a reader.
class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    for (const absl::string_view line : absl::StrSplit(absl::StripSuffix({text.data(), text.size()}, "\n"), '\n')) {
      SayLine(STDERR_FILENO, line);
    }
  }
  void flush_() override {}
};

struct TheLog;
TheLog& Logger();

struct TheLog {
  TheLog() : logger("twinkle", std::make_shared<StderrSink>()) {
    logger.set_pattern("%Y-%m-%d %H:%M:%S.%e %l twinkle: %v");
    const char* const asked = std::getenv("TWINKLE_LOG");
    const auto level = LevelNamed(asked == nullptr || *asked == '\0' ? "warning" : asked);
    logger.set_level(level.value_or(spdlog::level::warn));
    if (!level) {
      logger.warn("TWINKLE_LOG is debug, info, warning or error, not '{}': it is taken as warning", Printable(asked));
    }
    std::atexit([] {
      if (Logger().process == ::getpid()) FlushLog();  // not in a forked child, where the lock may be held for ever
    });
  }
  void Write(const std::vector<LineFolder::Line>& lines) {
    for (const auto& [level, text] : lines) logger.log(static_cast<spdlog::level::level_enum>(level), "{}", text);
  }

  const pid_t process = ::getpid();
  spdlog::logger logger;
  Mutex mutex;  // held while lines are written, which keeps their order
  LineFolder folder ABSL_GUARDED_BY(mutex);
};

TheLog& Logger() {                   // made on first use; the user's own spdlog registry is left alone
  static TheLog& log = *new TheLog;  // never destroyed: threads may outlive static destructors
  return log;
}

}  // namespace

void Log(LogLevel level, absl::string_view message) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                   spdlog::level::err};
  TheLog& log = Logger();
  const spdlog::level::level_enum asked = kLevels[static_cast<int>(level)];
  if (!log.logger.should_log(asked)) return;
  MutexLock lock(&log.mutex);
  log.Write(log.folder.Add({asked, PrintableLines(message, "  ")}, Now()));
}

void FlushLog() {
  TheLog& log = Logger();
  MutexLock lock(&log.mutex);
  log.Write(log.folder.Rest());
}

}  // namespace twinkle::base
