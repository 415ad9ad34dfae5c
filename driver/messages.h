// Messages that the driver sends from several places.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::driver {

// The message that a job has ended.
inline v1::DriverToProgram Ended(absl::StatusCode code, const std::string& message) {
  v1::DriverToProgram ended;
  ended.mutable_ended()->set_code(static_cast<int32_t>(code));
  ended.mutable_ended()->set_message(message);
  return ended;
}

}  // namespace twinkle::driver
