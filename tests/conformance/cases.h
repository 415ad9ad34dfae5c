// Golden cases, one runner a kind. A case that is not of the golden format fails like any other;
// JSON of the wrong type throws Json::exception, which the caller takes for the same.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/device_mesh.h>

#include <optional>
#include <string>

#include "tests/conformance/json_value.h"

namespace twinkle::conformance {

// How a case failed: what the golden file says, and what the library did.
struct Mismatch {
  std::string expected;
  std::string came;
};
// Nothing: the case passed.
using Verdict = std::optional<Mismatch>;

Verdict RunMeshCase(const Json& golden);
Verdict RunDispatchCase(const Json& golden);
Verdict RunCollectCase(const Json& golden);

// Runs a case of whatever kind: what has results is collected, what has arguments is dispatched,
// and what is left describes a mesh.
Verdict RunCase(const Json& golden);

// The mesh that is described by sizes or explicitly; its errors are the library's.
absl::StatusOr<DeviceMesh> MeshOf(const Json& description);
// The case's mesh; nothing when it has none.
absl::StatusOr<std::optional<DeviceMesh>> MeshOfCase(const Json& golden);

// For a case that expects an error (`came` being OK or another one is a mismatch; `result` says
// what came then), and for one that does not but failed.
Verdict CompareError(const Json& golden, const absl::Status& came, const std::string& result);

}  // namespace twinkle::conformance
