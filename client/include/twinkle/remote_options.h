// RemoteOptions: how New makes a component.
#pragma once

#include <twinkle/device_mesh.h>
#include <twinkle/internal/class_info.h>

#include <optional>
#include <string>

namespace twinkle {

// Each field is explained in docs/options.md. New fields come at the end, so designated initialisers stay good.
struct RemoteOptions {
  std::string remote_group = {};                         // empty: an object of this process
  std::optional<DeviceMesh> device_mesh = std::nullopt;  // the session's when absent
  std::string instance_id = {};  // of a live component of the same class and group: a handle to that one
  std::string name = {};         // for Find
  std::optional<bool> sync = std::nullopt;
  std::optional<bool> lazy_collect = std::nullopt;
  internal::CallSite site = internal::CallSite::Here();  // left alone: where New is called
};

}  // namespace twinkle
