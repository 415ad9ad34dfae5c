// A control group (version 2) for each worker process, where the node daemon has been given a part of the hierarchy.
// All processes in a group can be killed at once, even one that forks as fast as it is killed, and the kernel's figures
// on memory and CPU time are those of the rank with everything that it has started. Without groups the warden ends the
// same processes one by one.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "runtime/base/fd.h"

namespace twinkle::worker {

// The folder of the calling process's own group if it is delegated: a user other than root may change it, or systemd
// has marked it, or a group above it, as delegated (Delegate=yes). Empty: no group is delegated.
std::string DelegatedCgroup();

// OK: groups can be made below the group in this folder. InvalidArgument: the folder is empty; otherwise the system's
// error, with what cannot be written.
absl::Status CheckCgroup(const std::string& folder);

// The groups of one spawner's processes: folders below one folder of its own. For one thread at a time. A function that
// fails changes nothing and reports nothing: processes can do without groups.
class RankCgroups {
 public:
  // `parent`: the folder of a group that may be changed; empty: there are no groups. What an earlier spawner has left
  // there, and has no processes, is removed. What belongs to a living spawner of another daemon is left alone.
  explicit RankCgroups(const std::string& parent);

  // Makes a new, empty group. Returns its folder; empty: the process does without.
  std::string Make(uint64_t key);
  // Kill kills everything in a group that a warden has left, or may have left. Remove removes such a group, once it
  // holds nothing but zombies.
  void Kill(uint64_t key) const;
  void Remove(uint64_t key) const;
  // Kills everything in all groups, and removes them and the folder above them.
  void EndAll();

 private:
  std::string FolderOf(uint64_t key) const;

  std::string folder_;  // empty: there are no groups
  base::Fd lock_;       // on the folder, as a sign that it belongs to a living spawner
};

// The folder above the groups of a spawner's processes; empty where `parent` is.
std::string CgroupsOf(const std::string& parent, pid_t spawner);
// Kills everything in the groups of a spawner that has ended, and removes them and the folder. A folder that belongs to
// a living spawner is left alone: another PID namespace may have given it the same number.
void EndForsakenCgroups(const std::string& folder);

// ---- one group, by its folder; an empty name means no group
// Moves the calling process into the group.
void EnterCgroup(const std::string& folder);
// Kills all processes in the group.
void KillCgroup(const std::string& folder);
// Removes the group. Fails quietly while it holds more than zombies.
void RemoveCgroup(const std::string& folder);

}  // namespace twinkle::worker
