// The kernel's table of a process's descriptors.
#pragma once

namespace twinkle::base {

// Makes the table large enough for the first 256 descriptors. The kernel enlarges it when descriptor 64 or 256 is first
// used. In a process with threads it then waits for all processors (synchronize_rcu in expand_fdtable), which stops the
// thread that opens a file for some 15 ms. To be called before the first thread; a forked child has a small table
// again. Async-signal-safe.
void WidenDescriptorTable();

}  // namespace twinkle::base
