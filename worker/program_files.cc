#include "worker/program_files.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/file_digest.h"
#include "runtime/rpc/secret.h"
#include "runtime/rpc/streams.h"

namespace twinkle::worker {
namespace {

constexpr size_t kChunkBytes = 1 << 20;
constexpr absl::Duration kFetchLimit = absl::Minutes(5);

// One file to one caller. Deletes itself.
class Sending final : public grpc::ServerWriteReactor<v1::FileChunk> {
 public:
  explicit Sending(rpc::Fd file) : file_(std::move(file)) { Next(); }
  void OnWriteDone(bool ok) override { ok ? Next() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void Next() {
    std::string bytes(kChunkBytes, '\0');
    const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), offset_);
    if (got <= 0) return Finish(got == 0 ? grpc::Status::OK : rpc::ToGrpc(absl::ErrnoToStatus(errno, "the program")));
    bytes.resize(static_cast<size_t>(got));
    offset_ += got;
    chunk_.set_bytes(std::move(bytes));
    StartWrite(&chunk_);
  }

  const rpc::Fd file_;
  off_t offset_ = 0;
  v1::FileChunk chunk_;
};

class Refusing final : public grpc::ServerWriteReactor<v1::FileChunk> {
 public:
  explicit Refusing(const absl::Status& why) { Finish(rpc::ToGrpc(why)); }
  void OnDone() override { delete this; }
};

absl::StatusOr<rpc::Fd> Copy(const v1::FetchProgram& wanted, const std::string& expected, const std::string& from,
                             const std::string& token) {
  rpc::Fd file(static_cast<int>(::syscall(SYS_memfd_create, "twinkle-program", MFD_CLOEXEC)));
  if (!file.valid()) return absl::ErrnoToStatus(errno, "a memory file");
  const auto stub = v1::ProgramFiles::NewStub(rpc::NewChannel(from));
  grpc::ClientContext context;
  context.AddMetadata(rpc::kTokenKey, token);
  context.set_deadline(rpc::DeadlineIn(kFetchLimit));
  const auto reader = stub->Fetch(&context, wanted);
  v1::FileChunk chunk;
  while (reader->Read(&chunk)) {
    const std::string& bytes = chunk.bytes();
    if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
      return absl::ErrnoToStatus(errno, "a copy cannot be kept in memory");
    }
  }
  TWINKLE_RETURN_IF_ERROR(rpc::FromGrpc(reader->Finish()));
  TWINKLE_ASSIGN_OR_RETURN(const std::string digest, rpc::FileDigest(file.get()));
  if (digest != expected) return absl::DataLossError("what came is another file");
  // A file that is open for writing cannot be executed.
  rpc::Fd read_only(::open(absl::StrCat("/proc/self/fd/", file.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!read_only.valid()) return absl::ErrnoToStatus(errno, "a copy");
  return read_only;
}

}  // namespace

grpc::ServerWriteReactor<v1::FileChunk>* ProgramService::Fetch(grpc::CallbackServerContext* context,
                                                               const v1::FetchProgram* request) {
  if (!rpc::SecretsEqual(rpc::MetadataOf(*context, rpc::kTokenKey), token_)) {
    return new Refusing(absl::UnauthenticatedError("wrong or missing token"));
  }
  const std::string path = request->path().empty() ? absl::StrCat("/proc/", request->pid(), "/exe") : request->path();
  rpc::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return new Refusing(absl::ErrnoToStatus(errno, absl::StrCat(path, " on the program's machine")));
  return new Sending(std::move(file));
}

ProgramFetcher::~ProgramFetcher() {
  for (std::thread& thread : threads_) thread.join();
}

void ProgramFetcher::Fetch(const v1::FetchProgram& wanted, const std::string& digest, const std::string& from,
                           Done done) {
  if (const auto copy = copies_.find(digest); copy != copies_.end()) {
    return done(rpc::Fd(::fcntl(copy->second.get(), F_DUPFD_CLOEXEC, 0)));
  }
  waiting_[digest].push_back(std::move(done));
  if (waiting_[digest].size() > 1) return;
  threads_.emplace_back([this, wanted, digest, from] {
    auto copied = std::make_shared<absl::StatusOr<rpc::Fd>>(Copy(wanted, digest, from, token_));
    loop_.Post([this, digest, copied] {
      if (copied->ok()) copies_[digest] = *std::move(*copied);
      for (const Done& waiting : std::exchange(waiting_[digest], {})) {
        copied->ok() ? waiting(rpc::Fd(::fcntl(copies_[digest].get(), F_DUPFD_CLOEXEC, 0))) : waiting(copied->status());
      }
      waiting_.erase(digest);
    });
  });
}

}  // namespace twinkle::worker
