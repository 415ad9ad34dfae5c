#include "worker/output_store.h"

#include <absl/strings/str_cat.h>

#include <filesystem>
#include <utility>

namespace twinkle::worker {

bool OutputStore::Wants(const v1::WatchJob& wish, const Process& process) {
  return process.job == wish.job() && (wish.group().empty() || wish.group() == process.facts.group()) &&
         (wish.rank() < 0 || wish.rank() == process.facts.rank());
}

void OutputStore::AddProcess(uint64_t job, const v1::Process& process) {
  base::MutexLock lock(&mutex_);
  processes_[process.id()] = {job, process, {}, nullptr, 0};
}

void OutputStore::Add(uint64_t id, int pid, bool error, std::string text) {
  base::MutexLock lock(&mutex_);
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  Process& process = found->second;
  v1::Output output;
  v1::Output::Line& line = *output.add_lines();
  line.set_process(id);
  line.set_error(error);
  line.set_text(std::move(text));
  line.set_group(process.facts.group());
  line.set_rank(process.facts.rank());
  line.set_pid(pid);
  WriteFile(process, line.text());
  for (const auto& [watcher_id, watching] : watchers_) {
    if (Wants(watching.wish, process)) watching.watcher(&output);
  }
  process.lines.push_back(std::move(line));
  if (process.lines.size() > options_.kept_lines) process.lines.pop_front();
}

void OutputStore::WriteFile(Process& process, const std::string& line) {
  if (options_.folder.empty()) return;
  const std::string folder = absl::StrCat(options_.folder, "/job-", process.job);
  const std::string file = absl::StrCat(folder, "/", process.facts.group(), "-", process.facts.rank(), ".log");
  std::error_code ignored;
  if (process.file_bytes > options_.file_bytes) {
    process.file.reset();
    std::filesystem::rename(file, file + ".1", ignored);
    process.file_bytes = 0;
  }
  if (process.file == nullptr) {
    std::filesystem::create_directories(folder, ignored);
    process.file = std::make_unique<std::ofstream>(file, std::ios::app | std::ios::binary);
  }
  *process.file << line << '\n' << std::flush;  // who reads along sees it
  process.file_bytes += line.size() + 1;
}

std::vector<std::string> OutputStore::LastLines(uint64_t id, size_t most) const {
  base::MutexLock lock(&mutex_);
  std::vector<std::string> last;
  const auto found = processes_.find(id);
  if (found == processes_.end()) return last;
  const auto& lines = found->second.lines;
  for (size_t i = lines.size() > most ? lines.size() - most : 0; i < lines.size(); ++i) last.push_back(lines[i].text());
  return last;
}

void OutputStore::EndJob(uint64_t job) {
  base::MutexLock lock(&mutex_);
  for (auto process = processes_.begin(); process != processes_.end();) {
    process = process->second.job == job ? processes_.erase(process) : std::next(process);
  }
  for (auto watching = watchers_.begin(); watching != watchers_.end();) {
    if (watching->second.wish.job() != job) {
      ++watching;
      continue;
    }
    watching->second.watcher(nullptr);
    watching = watchers_.erase(watching);
  }
}

uint64_t OutputStore::Watch(const v1::WatchJob& wish, Watcher watcher) {
  base::MutexLock lock(&mutex_);
  bool known = false;
  v1::Output kept;
  for (const auto& [id, process] : processes_) {
    known |= process.job == wish.job();
    if (!Wants(wish, process)) continue;
    const size_t most = wish.tail() < 0 ? process.lines.size() : static_cast<size_t>(wish.tail());
    for (size_t i = process.lines.size() > most ? process.lines.size() - most : 0; i < process.lines.size(); ++i) {
      *kept.add_lines() = process.lines[i];
    }
  }
  if (!known) return 0;
  if (kept.lines_size() > 0) watcher(&kept);
  watchers_[next_] = {wish, std::move(watcher)};
  return next_++;
}

void OutputStore::Unwatch(uint64_t id) {
  base::MutexLock lock(&mutex_);
  watchers_.erase(id);
}

}  // namespace twinkle::worker
