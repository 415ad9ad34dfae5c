// The payload that failures of remote calls carry: JSON, so that people and other programs can read it.
#pragma once

#include <absl/strings/string_view.h>

#include <optional>
#include <string>

#include "runtime/actor/failure.h"

namespace twinkle::actor {

// The payload's text: {"class": …, "method": …, "rank": … (-1: of this process), "group": …, "place": …, "file": …,
// "line": …}. Bytes that are no UTF-8 are replaced.
std::string DetailText(const CallFacts& facts);

// The facts that such a text tells; nothing for a text that is none.
std::optional<CallFacts> FactsFromDetail(absl::string_view text);

}  // namespace twinkle::actor
