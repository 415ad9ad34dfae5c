#include "runtime/weights/name_rules.h"

#include <algorithm>

namespace twinkle::weights {

std::optional<std::string_view> Fit(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    if (pattern != name) return std::nullopt;
    return std::string_view();
  }
  const std::string_view before = pattern.substr(0, star);
  const std::string_view behind = pattern.substr(star + 1);
  if (name.size() < before.size() + behind.size()) return std::nullopt;
  if (!name.starts_with(before) || !name.ends_with(behind)) return std::nullopt;
  return name.substr(before.size(), name.size() - before.size() - behind.size());
}

std::optional<std::string> SourceName(const std::vector<NameRule>& rules, std::string_view receiver) {
  if (rules.empty()) return std::string(receiver);
  for (const NameRule& rule : rules) {
    const std::optional<std::string_view> text = Fit(rule.receiver, receiver);
    if (!text) continue;
    if (rule.source.empty()) return std::nullopt;
    const size_t star = rule.source.find('*');
    if (star == std::string::npos) return rule.source;
    return std::string(rule.source).replace(star, 1, *text);
  }
  return std::string();
}

bool FitsAny(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return Fit(pattern, name).has_value(); });
}

}  // namespace twinkle::weights
