// Which tensor of the source a tensor of the receiver is, and which need none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twinkle::weights {

// "policy.*" to "model.*". A pattern has at most one `*`, which stands for any text, the same on both sides.
struct NameRule {
  std::string receiver;
  std::string source;  // empty: the receiver's stays as it is
};

// What `*` stands for where the name fits the pattern; an empty text where the pattern has none. Nothing: it does not.
std::optional<std::string_view> Fit(std::string_view pattern, std::string_view name);

// The source's name by the first rule that fits: without any rule the same name, with some but none that fits an empty
// one. Nothing: the rule says that it stays as it is.
std::optional<std::string> SourceName(const std::vector<NameRule>& rules, std::string_view receiver);

bool FitsAny(const std::vector<std::string>& patterns, std::string_view name);

}  // namespace twinkle::weights
