// RemoteOptions: how New makes a component.
#pragma once

#include <twinkle/device_mesh.h>
#include <twinkle/internal/class_info.h>

#include <optional>
#include <string>

namespace twinkle {

// Options of a component. Each field is explained in docs/options.md. New fields are added at the end, so that
// designated initialisers remain valid.
struct RemoteOptions {
  std::string remote_group = {};                         // empty: an object of this process
  std::optional<DeviceMesh> device_mesh = std::nullopt;  // absent: the session's
  std::string instance_id = {};  // if a live component of this class and group has it, New returns a handle to that one
  std::string name = {};         // for Find
  std::optional<bool> sync = std::nullopt;
  std::optional<bool> lazy_collect = std::nullopt;
  internal::CallSite site = internal::CallSite::Here();  // not to be set: where New is called
};

}  // namespace twinkle
