#include "runtime/actor/error_detail.h"

#include <absl/strings/cord.h>
#include <absl/strings/numbers.h>
#include <twinkle/error_detail.h>

#include <utility>

namespace twinkle {

Maybe<ErrorDetail> GetErrorDetail(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(actor::kDetailUrl);
  if (!payload) return std::nullopt;
  std::optional<actor::CallFacts> facts = actor::FactsFromDetail(std::string(*payload));
  if (!facts) return std::nullopt;
  ErrorDetail detail{.class_name = std::move(facts->class_name),
                     .method = std::move(facts->method),
                     .rank = facts->rank,
                     .group = std::move(facts->group),
                     .file = std::move(facts->file),
                     .line = facts->line};
  constexpr absl::string_view kPid = ", pid ";  // a place is "host, pid 123"
  const size_t pid = facts->place.rfind(kPid.data());
  detail.host = facts->place.substr(0, pid);
  if (pid != std::string::npos && !absl::SimpleAtoi(facts->place.substr(pid + kPid.size()), &detail.pid)) {
    detail.pid = 0;
  }
  return detail;
}

}  // namespace twinkle
