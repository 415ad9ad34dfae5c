#include "runtime/actor/error_detail.h"

#include <nlohmann/json.hpp>

namespace twinkle::actor {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::string DetailText(const CallFacts& facts) {
  const Json detail = {{"class", facts.class_name}, {"method", facts.method}, {"rank", facts.rank},
                       {"group", facts.group},      {"place", facts.place},   {"file", facts.file},
                       {"line", facts.line}};
  return detail.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<CallFacts> FactsFromDetail(absl::string_view text) {
  const Json detail = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!detail.is_object()) return std::nullopt;
  const auto word = [&](const char* key) {
    const auto found = detail.find(key);
    return found != detail.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto number = [&](const char* key, int otherwise) {
    const auto found = detail.find(key);
    return found != detail.end() && found->is_number_integer() ? found->get<int>() : otherwise;
  };
  return CallFacts{word("class"), word("method"), word("group"),    number("rank", -1),
                   word("place"), word("file"),   number("line", 0)};
}

}  // namespace twinkle::actor
