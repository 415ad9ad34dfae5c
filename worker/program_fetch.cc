#include "worker/program_fetch.h"

#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <cerrno>

#include "proto/twinkle/v1/cluster.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/channel.h"
#include "runtime/rpc/protocol.h"
#include "runtime/rpc/wire_words.h"

namespace twinkle::worker {

absl::Status FetchFile(const v1::FetchProgram& wanted, const FileSource& from, absl::Duration limit, uint64_t most,
                       int to) {
  const auto stub = v1::ProgramFiles::NewStub(rpc::NewChannel(from.target, {.keep_alive = from.keep_alive}));
  grpc::ClientContext context;
  rpc::Introduce(context, rpc::kTokenKey, from.token);
  context.set_deadline(rpc::DeadlineIn(limit));
  const auto reader = stub->Fetch(&context, wanted);
  v1::FileChunk chunk;
  uint64_t size = 0;
  absl::Status kept;
  while (kept.ok() && reader->Read(&chunk)) {
    size += chunk.bytes().size();
    kept = size <= most ? WriteAll(to, chunk.bytes())
                        : absl::ResourceExhaustedError(absl::StrCat("it is larger than ", most, " bytes"));
  }
  if (!kept.ok()) context.TryCancel();
  const absl::Status told = rpc::FromGrpc(reader->Finish());
  return kept.ok() ? told : kept;
}

absl::Status WriteAll(int to, const std::string& bytes) {
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t wrote = ::write(to, bytes.data() + written, bytes.size() - written);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return absl::ErrnoToStatus(errno, "a copy cannot be written");
    written += static_cast<size_t>(wrote);
  }
  return absl::OkStatus();
}

}  // namespace twinkle::worker
