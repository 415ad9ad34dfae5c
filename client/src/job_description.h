// What a program tells the driver of its job, checked before it is sent.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "proto/twinkle/v1/cluster.pb.h"

namespace twinkle::internal {

// For a job that its program gave no name: that of the program's file, which may have any.
std::string NameFrom(const std::string& executable);

// InvalidArgument: it is more than the driver takes; says how much each part of it takes.
absl::Status CheckSize(const v1::SubmitJob& submit);
// The same.
absl::Status CheckSize(const v1::Component& component);

}  // namespace twinkle::internal
