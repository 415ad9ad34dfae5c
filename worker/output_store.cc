#include "worker/output_store.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>
#include <utility>

namespace twinkle::worker {
namespace {

constexpr size_t kLineBytes = 64;  // of a line in a message, besides its text

constexpr uint64_t kNote = 0;  // stands for the process in lines of the node daemon's own

size_t SizeOf(const v1::Output::Line& line) { return line.text().size() + line.group().size() + kLineBytes; }

}  // namespace

class OutputStore::Batch {
 public:
  explicit Batch(size_t most) : most_(most) {}

  void Add(const v1::Output::Line& line) {
    if (bytes_ > 0 && bytes_ + SizeOf(line) > most_) EndMessage();
    *output_.add_lines() = line;
    bytes_ += SizeOf(line);
  }
  std::vector<Message> Take() {
    EndMessage();
    return std::move(messages_);
  }

 private:
  void EndMessage() {
    if (bytes_ > 0) messages_.push_back(std::make_shared<const v1::Output>(std::exchange(output_, {})));
    bytes_ = 0;
  }

  const size_t most_;
  v1::Output output_;
  size_t bytes_ = 0;
  std::vector<Message> messages_;
};

bool OutputStore::Wants(const v1::WatchJob& wish, const Process& process) {
  return process.job == wish.job() && (wish.group().empty() || wish.group() == process.facts.group()) &&
         (wish.rank() < 0 || wish.rank() == process.facts.rank());
}

void OutputStore::AddProcess(uint64_t job, const v1::Process& process) {
  files_.Open(process.id(), job, process.group(), process.rank());
  base::MutexLock lock(&mutex_);
  Process& added = processes_[process.id()];
  added.job = job;
  added.facts = process;
  added.watched = std::any_of(watchers_.begin(), watchers_.end(), [job](const auto& watching) {
    return watching.second.wish.job() == job && WantsAll(watching.second.wish);
  });
}

v1::Output::Line OutputStore::LineOf(uint64_t id, int pid, bool error, const Process& process,
                                     const OutputLine& given) {
  v1::Output::Line line;
  line.set_process(id);
  line.set_error(error);
  line.set_text(given.text);
  line.set_group(process.facts.group());
  line.set_rank(process.facts.rank());
  line.set_pid(pid);
  line.set_continues(given.continues);
  return line;
}

void OutputStore::Add(uint64_t id, int pid, bool error, const std::vector<OutputLine>& lines) {
  if (lines.empty()) return;
  base::MutexLock lock(&mutex_);
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  Process& process = found->second;
  std::string text;
  std::vector<v1::Output::Line> passed;
  passed.reserve(lines.size());
  for (const OutputLine& given : lines) {
    if (files_.enabled()) absl::StrAppend(&text, given.text, given.continues ? "" : "\n");
    passed.push_back(LineOf(id, pid, error, process, given));
  }
  PassOn(process, std::move(passed));
  if (files_.enabled()) files_.Write(id, std::move(text), lines.size());
}

void OutputStore::AddNote(uint64_t id, int pid, const std::string& text) {
  base::MutexLock lock(&mutex_);
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  v1::Output::Line line = NoteOf(pid, found->second, text);
  const std::deque<v1::Output::Line>& before = found->second.lines;
  const bool within = !before.empty() && before.back().continues();  // in the middle of a long line
  if (files_.enabled()) files_.Write(id, absl::StrCat(within ? "\n" : "", line.text(), "\n"), 1);
  PassOn(found->second, {std::move(line)});
}

void OutputStore::PassOn(Process& process, std::vector<v1::Output::Line> lines) {
  Batch batch(options_.message_bytes);
  for (v1::Output::Line& line : lines) {
    batch.Add(line);
    Keep(process, std::move(line));
  }
  for (const Message& message : batch.Take()) Tell(process, message);
}

void OutputStore::Tell(const Process& process, const Message& message) {
  for (const auto& [id, watching] : watchers_) {
    if (Wants(watching.wish, process)) watching.watcher(message);
  }
}

// ---- what is kept
bool OutputStore::WantsAll(const v1::WatchJob& wish) {
  return wish.tail() < 0 && wish.follow() && wish.group().empty() && wish.rank() < 0;
}

v1::Output::Line OutputStore::NoteOf(int pid, const Process& process, const std::string& text) {
  return LineOf(kNote, pid, /*error=*/true, process, {absl::StrCat("[twinkle-worker: ", text, "]"), false});
}

v1::Output::Line OutputStore::DroppedNoteOf(const Process& process) {
  return NoteOf(process.lines.empty() ? 0 : process.lines.front().pid(), process,
                absl::StrCat(process.dropped,
                             " lines of this process are missing here: they are not kept any more; --log-dir keeps "
                             "them all"));
}

void OutputStore::Keep(Process& process, v1::Output::Line line) {
  process.bytes += SizeOf(line);
  if (!process.watched) unwatched_[process.job] += SizeOf(line);
  process.lines.push_back(std::move(line));
  Trim(process);
}

bool OutputStore::KeepsTooMuch(const Process& process) const {
  if (process.lines.size() <= 1) return false;
  if (process.lines.size() <= options_.kept_lines && process.bytes <= options_.kept_bytes) return false;
  return process.watched || unwatched_.at(process.job) > options_.unwatched_bytes;
}

void OutputStore::Trim(Process& process) {
  while (KeepsTooMuch(process)) {
    const size_t size = SizeOf(process.lines.front());
    process.bytes -= size;
    if (!process.watched) unwatched_[process.job] -= size;
    process.lines.pop_front();
    ++process.dropped;
  }
}

void OutputStore::SetWatched(Process& process) {
  if (std::exchange(process.watched, true)) return;
  unwatched_[process.job] -= process.bytes;
  Trim(process);
}

std::vector<std::string> OutputStore::LastLines(uint64_t id, size_t most) const {
  base::MutexLock lock(&mutex_);
  std::vector<std::string> last;
  const auto found = processes_.find(id);
  if (found == processes_.end()) return last;
  const auto& lines = found->second.lines;
  for (auto line = lines.rbegin(); line != lines.rend() && last.size() < most; ++line) {
    if (line->process() != kNote) last.push_back(line->text());
  }
  std::reverse(last.begin(), last.end());
  return last;
}

void OutputStore::EndJob(uint64_t job) {
  base::MutexLock lock(&mutex_);
  for (auto process = processes_.begin(); process != processes_.end();) {
    if (process->second.job != job) {
      ++process;
      continue;
    }
    files_.Close(process->first);
    process = processes_.erase(process);
  }
  unwatched_.erase(job);
  for (auto watching = watchers_.begin(); watching != watchers_.end();) {
    if (watching->second.wish.job() != job) {
      ++watching;
      continue;
    }
    watching->second.watcher(nullptr);
    watching = watchers_.erase(watching);
  }
}

void OutputStore::EndAllJobs() {
  std::set<uint64_t> jobs;
  {
    base::MutexLock lock(&mutex_);
    for (const auto& [id, process] : processes_) jobs.insert(process.job);
  }
  for (const uint64_t job : jobs) EndJob(job);
}

uint64_t OutputStore::Watch(const v1::WatchJob& wish, Watcher watcher) {
  base::MutexLock lock(&mutex_);
  bool known = false;
  Batch kept(options_.message_bytes);
  for (auto& [id, process] : processes_) {
    known |= process.job == wish.job();
    if (!Wants(wish, process)) continue;
    if (wish.tail() < 0 && process.dropped > 0) kept.Add(DroppedNoteOf(process));
    const size_t size = process.lines.size();
    const size_t most = wish.tail() < 0 ? size : static_cast<size_t>(wish.tail());
    for (size_t i = size > most ? size - most : 0; i < size; ++i) kept.Add(process.lines[i]);
    if (WantsAll(wish)) SetWatched(process);
  }
  if (!known) return 0;
  for (const Message& message : kept.Take()) watcher(message);
  watchers_[next_] = {wish, std::move(watcher)};
  return next_++;
}

void OutputStore::Unwatch(uint64_t id) {
  base::MutexLock lock(&mutex_);
  watchers_.erase(id);
}

}  // namespace twinkle::worker
