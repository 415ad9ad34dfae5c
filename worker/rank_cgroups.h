// A control group (version 2) of its own for each worker process, where the node daemon has been given a part of the
// hierarchy. All in it can be killed at once, even who forks as fast as it is killed; what there is to say of its
// memory and its CPU time is said of the rank with all that it has started. Without one the warden ends the same
// processes one by one.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/string_view.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "runtime/base/fd.h"

namespace twinkle::worker {

// The folder of the calling process's own group, if it is delegated: a user other than root may change it, or systemd
// has marked it, or a group above it, as delegated (Delegate=yes). Empty: there is none.
std::string DelegatedCgroup();

// OK when groups can be made below the group that is in this folder, else why not.
absl::Status CheckCgroup(const std::string& folder);

// The groups of one spawner's processes: folders below one of its own. Not thread-safe. Functions that fail leave
// things as they are: a group is a help, not a need.
class RankCgroups {
 public:
  // `parent`: the folder of a group that may be changed; empty: there are no groups. What an earlier spawner has left
  // there, which has no processes, is removed; what belongs to one that lives, of another daemon, is left alone.
  explicit RankCgroups(const std::string& parent);

  // A new, empty group. Its folder; empty: the process goes without.
  std::string Make(uint64_t key);
  // Of a group that its warden has left, or may have. Kills what is in it; removes it, once nothing but zombies is
  // there.
  void Kill(uint64_t key) const;
  void Remove(uint64_t key) const;
  // Kills what is left in all groups, and removes them and the folder above them.
  void EndAll();

 private:
  std::string FolderOf(uint64_t key) const;

  std::string folder_;  // empty: there are no groups
  base::Fd lock_;       // on the folder: it belongs to a spawner that lives
};

// The folder above the groups of a spawner's processes; empty where `parent` is.
std::string CgroupsOf(const std::string& parent, pid_t spawner);
// Kills what is left in the groups of a spawner that has ended, and removes them and the folder. That of one that lives
// is left alone: another PID namespace may have given it the same number.
void EndForsakenCgroups(const std::string& folder);

// ---- of one group, by its folder, which may be empty
// Moves the calling process into it.
void EnterCgroup(const std::string& folder);
// Kills all that are in it.
void KillCgroup(const std::string& folder);
// Once nothing but zombies is in it.
void RemoveCgroup(const std::string& folder);

}  // namespace twinkle::worker
