// The golden format's values: between JSON and Value, and when two of them count as equal.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/value.h>

#include <nlohmann/json.hpp>
#include <string>

namespace twinkle::conformance {

using Json = nlohmann::json;

// InvalidArgument, saying where, for an integer of more than 64 bits and for a "$tuple", "$float"
// or
// "$tensor" that is not what the format says.
absl::StatusOr<Value> ValueOf(const Json& json);

Json JsonOf(const Value& value);
// The same as text in one line.
std::string Text(const Value& value);
std::string Text(const Json& json);

// Floats within a relative tolerance of 1e-6, nan equal to nan; an integer is no float, nor a tuple
// a list; everything else must be the same.
bool Same(const Value& expected, const Value& came);

}  // namespace twinkle::conformance
