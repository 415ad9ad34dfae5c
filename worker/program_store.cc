#include "worker/program_store.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "runtime/base/log.h"
#include "runtime/base/names.h"
#include "runtime/base/status.h"
#include "runtime/rpc/file_digest.h"
#include "runtime/rpc/wire_place.h"
#include "worker/same_file.h"

namespace twinkle::worker {
namespace {

// Makes a folder for a job's files in the first temporary folder that the environment names; its errors name that
// folder.
absl::StatusOr<std::string> NewFolder(uint64_t job) {
  const char* variable = "";
  std::filesystem::path parent = "/tmp";
  for (const char* const one : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"}) {
    const char* const told = std::getenv(one);
    if (told == nullptr) continue;
    variable = one;
    parent = told;
    break;
  }
  std::error_code failed;
  const std::filesystem::path whole = std::filesystem::absolute(parent, failed);
  std::string folder = (whole / absl::StrCat("twinkle-job-", job, "-XXXXXX")).string();
  if (!failed && ::mkdtemp(folder.data()) != nullptr) return folder;
  const int number = failed ? failed.value() : errno;
  return absl::ErrnoToStatus(
      number,
      absl::StrCat("a folder for the job's files cannot be made in '", base::Printable(parent.string()), "'",
                   *variable == '\0' ? "" : absl::StrCat(", which ", variable, " names"), " for the node daemon"));
}

}  // namespace

struct ProgramStore::Work {
  Work(ProgramStoreOptions given, SideThreads::Post to_loop) : options(std::move(given)), post(std::move(to_loop)) {}

  absl::StatusOr<Brought> Bring(const v1::StartJob& start, std::string* folder);
  absl::StatusOr<ProgramCopies::Copy> Program(const v1::StartJob& start);
  // Reports a new folder at once: filling it may take long, and the daemon may end meanwhile.
  void TellScratch(const std::string& folder) const {
    if (options.scratch) post([scratch = options.scratch, folder] { scratch(folder); });
  }
  absl::Status PutFile(const v1::StartJob& start, const v1::File& file, const std::string& folder);
  absl::Status Fetch(const v1::StartJob& start, v1::FetchProgram wanted, int to) const;
  // Whether paths and pids of the program mean the same on this node.
  bool IsBeside(const v1::Program& program) const {
    return !options.place.pids().empty() && program.place().pids() == options.place.pids() &&
           program.place().machine() == options.place.machine();
  }

  const ProgramStoreOptions options;
  const SideThreads::Post post;
  ProgramCopies copies;
};

absl::StatusOr<Brought> ProgramStore::Work::Bring(const v1::StartJob& start, std::string* folder) {
  TWINKLE_ASSIGN_OR_RETURN(ProgramCopies::Copy program, Program(start));
  if (start.program().files().empty()) return Brought{std::move(program), ""};
  TWINKLE_ASSIGN_OR_RETURN(*folder, NewFolder(start.job()));
  TellScratch(*folder);
  for (const v1::File& file : start.program().files()) {
    const absl::Status put = PutFile(start, file, *folder);
    if (!put.ok()) return base::Annotate(put, absl::StrCat("its file ", file.path()));
  }
  return Brought{std::move(program), *folder};
}

absl::StatusOr<ProgramCopies::Copy> ProgramStore::Work::Program(const v1::StartJob& start) {
  const v1::Program& program = start.program();
  const bool beside = IsBeside(program);
  if (beside) {
    absl::StatusOr<base::Fd> own = OpenForPath(absl::StrCat("/proc/", program.place().pid(), "/exe"));
    if (own.ok()) return std::make_shared<const base::Fd>(*std::move(own));
  }
  if (!beside && program.digest().empty()) {
    return absl::FailedPreconditionError("the program is in another PID namespace, and has not told its SHA-256");
  }
  absl::StatusOr<base::Fd> same = OpenIfSame(program.executable(), beside ? "" : program.digest());
  if (same.ok()) return std::make_shared<const base::Fd>(*std::move(same));
  absl::Status why = base::Annotate(
      same.status(), absl::StrCat("the program ", program.executable(), " cannot be had on node '", options.node, "'"));
  if (beside) return why;
  const auto fetch = [&](int to) { return Fetch(start, {}, to); };
  absl::StatusOr<ProgramCopies::Copy> copy = copies.Get(program.digest(), fetch);
  if (copy.ok()) return copy;
  return absl::Status(
      copy.status().code(),
      absl::StrCat(why.message(), "; nor be brought from the program's machine: ", copy.status().message()));
}

// Puts a file into the folder: a link where its path means the same file here, otherwise a copy.
absl::Status ProgramStore::Work::PutFile(const v1::StartJob& start, const v1::File& file, const std::string& folder) {
  const std::filesystem::path to = std::filesystem::path(folder) / std::filesystem::path(file.path()).filename();
  if (IsBeside(start.program()) || OpenIfSame(file.path(), file.digest()).ok()) {
    std::error_code failed;
    std::filesystem::create_symlink(file.path(), to, failed);
    return failed ? absl::ErrnoToStatus(failed.value(), to.string()) : absl::OkStatus();
  }
  const base::Fd copy(::open(to.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
  if (!copy.valid()) return absl::ErrnoToStatus(errno, to.string());
  v1::FetchProgram wanted;
  wanted.set_path(file.path());
  TWINKLE_RETURN_IF_ERROR(Fetch(start, std::move(wanted), copy.get()));
  TWINKLE_ASSIGN_OR_RETURN(const std::string digest, rpc::FileDigest(copy.get()));
  return digest == file.digest() ? absl::OkStatus() : absl::DataLossError("what came is another file");
}

absl::Status ProgramStore::Work::Fetch(const v1::StartJob& start, v1::FetchProgram wanted, int to) const {
  const v1::Place& place = start.program().place();
  const v1::Endpoint& node = start.program_node();
  const std::string& from = rpc::TargetOf(place, node, options.place.machine());
  if (from.empty() || !options.fetch)
    return absl::NotFoundError("there is no node daemon that can be reached from here");
  wanted.set_pid(place.pid());
  wanted.set_pids(place.pids());
  wanted.set_executable(start.program().executable());
  return options.fetch(wanted, from, to);
}

ProgramStore::ProgramStore(ProgramStoreOptions options, base::Executor* executor, SideThreads::Post post)
    : work_(std::make_shared<Work>(std::move(options), post)), threads_(executor, std::move(post)) {}

ProgramStore::~ProgramStore() = default;

void ProgramStore::Bring(const v1::StartJob& start, Done done) {
  const uint64_t job = start.job();
  const uint64_t bringing = next_bringing_++;
  jobs_[job] = {bringing, std::move(done), "", nullptr};
  auto result = std::make_shared<Result>();
  const absl::Status begun = threads_.Run(
      absl::StrCat("job-", job),
      [work = work_, start, result] { result->brought = work->Bring(start, &result->folder); },
      [this, job, bringing, result] { OnBrought(job, bringing, result); });
  if (begun.ok()) return;
  result->brought = begun;
  OnBrought(job, bringing, result);
}

void ProgramStore::OnBrought(uint64_t number, uint64_t bringing, const std::shared_ptr<Result>& result) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || found->second.bringing != bringing) {
    result->brought = absl::CancelledError("the job has ended");
    return Remove(result->folder);
  }
  Job& job = found->second;
  job.folder = result->folder;
  if (result->brought.ok()) job.program = result->brought->program;
  std::exchange(job.done, nullptr)(std::move(result->brought));
}

void ProgramStore::Drop(uint64_t number) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end()) return;
  const std::string folder = std::move(found->second.folder);
  jobs_.erase(found);
  Remove(folder);
}

void ProgramStore::Remove(const std::string& folder) {
  work_->copies.DropUnused();
  if (folder.empty()) return;
  auto failed = std::make_shared<std::error_code>();
  const absl::Status begun = threads_.Run(
      "remove-files", [folder, failed] { std::filesystem::remove_all(folder, *failed); },
      [work = work_, folder, failed] {
        if (*failed) return base::Log(base::LogLevel::kWarning, absl::StrCat(folder, " stays: ", failed->message()));
        if (work->options.scratch_gone) work->options.scratch_gone(folder);
      });
  if (!begun.ok()) base::Log(base::LogLevel::kWarning, absl::StrCat(folder, " stays: ", begun.message()));
}

}  // namespace twinkle::worker
