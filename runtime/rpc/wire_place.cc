#include "runtime/rpc/wire_place.h"

#include <absl/strings/str_cat.h>

#include "runtime/base/names.h"

namespace twinkle::rpc {

std::string PlaceText(const v1::Place& place) {
  return absl::StrCat(base::Printable(place.host()), ", pid ", place.pid());
}

const std::string& TargetOf(const v1::Place& place, const v1::Endpoint& endpoint, const std::string& machine) {
  if (place.machine() == machine) return endpoint.socket();
  return endpoint.address();
}

}  // namespace twinkle::rpc
