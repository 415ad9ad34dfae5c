// The kernel's table of a process's descriptors.
#pragma once

namespace twinkle::base {

// Makes the table large enough for the first 256. The kernel enlarges it when number 64 or 256 is first used and, in a
// process that has threads, waits for all processors then (synchronize_rcu in expand_fdtable): that stops who opens a
// file for some 15 ms. So before the first thread; a forked child has a small table again. Async-signal-safe.
void WidenDescriptorTable();

}  // namespace twinkle::base
