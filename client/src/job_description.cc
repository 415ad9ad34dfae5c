#include "client/src/job_description.h"

#include <absl/strings/str_cat.h>

#include "runtime/actor/failure.h"
#include "runtime/base/names.h"

namespace twinkle::internal {
namespace {

constexpr size_t kMostBytes = 3 << 20;  // gRPC takes 4 MiB

template <class Texts>
size_t BytesOf(const Texts& texts) {
  size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  return bytes;
}

}  // namespace

std::string NameFrom(const std::string& executable) {
  const std::string name = base::Printable(actor::BaseName(executable)).substr(0, base::kLongestName);
  return base::CheckName("the program's file", name).ok() ? name : "program";
}

absl::Status CheckSize(const v1::SubmitJob& submit) {
  const size_t size = submit.ByteSizeLong();
  if (size <= kMostBytes) return absl::OkStatus();
  size_t groups = 0;
  for (const v1::Group& group : submit.groups()) groups += group.ByteSizeLong();
  return absl::InvalidArgumentError(
      absl::StrCat("the job's description takes ", size, " bytes, of ", kMostBytes,
                   " that are allowed: ", BytesOf(submit.program().environment()), " for the program's environment, ",
                   BytesOf(submit.program().arguments()), " for its arguments, ", groups, " for the groups"));
}

absl::Status CheckSize(const v1::Component& component) {
  const size_t size = component.ByteSizeLong();
  if (size <= kMostBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the component's description, with its mesh and its ranks, takes ",
                                                 size, " bytes, of ", kMostBytes, " that are allowed"));
}

}  // namespace twinkle::internal
