#include "runtime/rpc/protocol.h"

#include <absl/strings/str_cat.h>

#include "runtime/base/names.h"

namespace twinkle::rpc {

void Introduce(grpc::ClientContext& context, const char* key, const std::string& shown) {
  context.AddMetadata(kProtocolKey, absl::StrCat(kProtocol));
  context.AddMetadata(key, shown);
}

absl::Status CheckProtocol(absl::string_view self, absl::string_view other, absl::string_view said) {
  if (said == absl::StrCat(kProtocol)) return absl::OkStatus();
  const std::string theirs = said.empty() ? std::string("none that has a number")
                                          : absl::StrCat("protocol ", base::Printable(said.substr(0, 20)));
  return absl::FailedPreconditionError(absl::StrCat(self, " speaks protocol ", kProtocol, ", and ", other, " ", theirs,
                                                    ": install one build of Twinkle on all machines"));
}

}  // namespace twinkle::rpc
