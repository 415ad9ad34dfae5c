#include "worker/log_files.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/event.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/mutex.h"
#include "runtime/base/status.h"

namespace twinkle::worker {
namespace {

constexpr size_t kLongestName = 100;

// Writes all of `text`; false: an error, in errno.
bool WriteAll(int to, const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t wrote = ::write(to, text.data() + written, text.size() - written);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    written += static_cast<size_t>(wrote);
  }
  return true;
}

}  // namespace

absl::Status CheckLogFolder(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  const base::Fd file(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  // Not every file system has files without names.
  const int error = file.valid() ? 0 : errno;
  if (file.valid() || ((error == EOPNOTSUPP || error == EISDIR) && ::access(folder.c_str(), W_OK) == 0)) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(error, absl::StrCat("files cannot be made in the folder '", folder, "'"));
}

std::string FileNameOf(const std::string& group) {
  std::string name;
  for (const char byte : group) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(byte)) || byte == '_' || byte == '-' ||
                       (byte == '.' && !name.empty());
    absl::StrAppend(&name, plain ? std::string(1, byte) : absl::StrFormat("%%%02x", static_cast<unsigned char>(byte)));
    if (name.size() > kLongestName) return absl::StrCat(name.substr(0, kLongestName), "%", group.size());
  }
  return name;
}

// The file of one process. `missing` is guarded by the state's mutex, the rest is confined to the writing thread.
struct LogFiles::File {
  std::string path;
  base::Fd fd;
  size_t bytes = 0;
  size_t missing = 0;  // lines lost since the last line that was written
  bool complained = false;
};

struct LogFiles::State {
  explicit State(LogFileOptions given) : options(std::move(given)) {}

  // On the writing thread.
  void Append(File& file, const std::string& text, size_t lines, size_t missing);
  bool Open(File& file) const;
  void TurnOver(File& file) const;

  const LogFileOptions options;
  base::Mutex mutex;
  size_t waiting ABSL_GUARDED_BY(mutex) = 0;
  std::map<uint64_t, std::shared_ptr<File>> files ABSL_GUARDED_BY(mutex);
};

// Opens the file if it is not open; false: an error, in errno.
bool LogFiles::State::Open(File& file) const {
  if (file.fd.valid()) return true;
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(file.path).parent_path(), ignored);
  file.fd = base::Fd(::open(file.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644));
  struct stat found {};
  if (file.fd.valid() && ::fstat(file.fd.get(), &found) == 0) file.bytes = static_cast<size_t>(found.st_size);
  return file.fd.valid();
}

// Renames a full file to FILE.1, so that the next Open begins a new one.
void LogFiles::State::TurnOver(File& file) const {
  file.fd.Reset();
  std::error_code ignored;
  std::filesystem::rename(file.path, file.path + ".1", ignored);
  file.bytes = 0;
}

void LogFiles::State::Append(File& file, const std::string& text, size_t lines, size_t missing) {
  if (file.bytes > options.file_bytes) TurnOver(file);
  const std::string note = missing == 0 ? ""
                                        : absl::StrCat("[twinkle-worker: ", missing,
                                                       " lines are missing here: the disk did not take them]\n");
  const bool written = Open(file) && WriteAll(file.fd.get(), note + text);
  if (!written && !std::exchange(file.complained, true)) {
    base::Log(base::LogLevel::kWarning, absl::ErrnoToStatus(errno, file.path).message());
  }
  if (written) {
    file.bytes += note.size() + text.size();
  } else if (file.fd.valid()) {
    (void)!::ftruncate(file.fd.get(), static_cast<off_t>(file.bytes));  // leave no partial line
    file.fd.Reset();                                                    // the next Append opens it again
  }
  base::MutexLock lock(&mutex);
  waiting -= text.size();
  if (!written) file.missing += lines + missing;
}

LogFiles::LogFiles(LogFileOptions options, base::Executor* executor) {
  if (options.folder.empty()) return;
  thread_ = executor->NewQueue("log-files");
  if (thread_ == nullptr) {
    base::Log(base::LogLevel::kWarning, base::Annotate(base::NoThread(), "no log files are written").message());
    return;
  }
  state_ = std::make_shared<State>(std::move(options));
}

LogFiles::~LogFiles() {
  if (state_ == nullptr) return;
  Flush();
  thread_->Abandon();
}

void LogFiles::Flush() {
  if (state_ == nullptr) return;
  const auto written = std::make_shared<base::Event>();
  thread_->Post([written] { written->Set(); });
  written->WaitUntil(base::Now() + state_->options.end_limit);
}

void LogFiles::Open(uint64_t process, uint64_t job, const std::string& group, int rank) {
  if (state_ == nullptr) return;
  auto file = std::make_shared<File>();
  file->path = absl::StrCat(state_->options.folder, "/job-", job, "/", FileNameOf(group), "-", rank, ".log");
  base::MutexLock lock(&state_->mutex);
  state_->files[process] = std::move(file);
}

void LogFiles::Write(uint64_t process, std::string text, size_t lines) {
  if (state_ == nullptr) return;
  base::MutexLock lock(&state_->mutex);
  const auto found = state_->files.find(process);
  if (found == state_->files.end()) return;
  File& file = *found->second;
  if (state_->waiting + text.size() > state_->options.most_waiting) {
    file.missing += lines;
    return;
  }
  state_->waiting += text.size();
  thread_->Post([state = state_, file = found->second, text = std::move(text), lines,
                 missing = std::exchange(file.missing, 0)] { state->Append(*file, text, lines, missing); });
}

void LogFiles::Close(uint64_t process) {
  if (state_ == nullptr) return;
  base::MutexLock lock(&state_->mutex);
  const auto found = state_->files.find(process);
  if (found == state_->files.end()) return;
  thread_->Post([state = state_, file = std::move(found->second)] {
    size_t missing = 0;
    {
      base::MutexLock inner(&state->mutex);
      missing = std::exchange(file->missing, 0);
    }
    if (missing > 0) state->Append(*file, "", 0, missing);
  });
  state_->files.erase(found);
}

}  // namespace twinkle::worker
