#include "runtime/actor/failure.h"

#include <absl/strings/cord.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include "runtime/base/status.h"

namespace twinkle::actor {
namespace {

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}), "\"");
}

std::string DetailOf(const CallFacts& facts) {
  return absl::StrCat("{\"class\":", Quoted(facts.class_name), ",\"method\":", Quoted(facts.method),
                      ",\"rank\":", facts.rank, ",\"group\":", Quoted(facts.group), ",\"place\":", Quoted(facts.place),
                      ",\"file\":", Quoted(facts.file), ",\"line\":", facts.line, "}");
}

}  // namespace

std::string What(const CallFacts& facts) {
  return base::CallText(facts.class_name, facts.method, facts.file, facts.line);
}

absl::Status Failed(const CallFacts& facts, const absl::Status& cause) {
  if (cause.ok()) return cause;
  const std::string where =
      facts.group.empty() ? std::string("in this process")
                          : absl::StrCat("on rank ", facts.rank, " of group '", facts.group, "' (", facts.place, ")");
  absl::Status status = base::Annotate(cause, absl::StrCat(ShortName(facts.class_name), ".", facts.method, " failed ",
                                                           where, " [", facts.file, ":", facts.line, "]"));
  if (!cause.GetPayload(kDetailUrl)) {
    status.SetPayload(kDetailUrl, absl::Cord(DetailOf(facts)));
  }
  return status;
}

}  // namespace twinkle::actor
