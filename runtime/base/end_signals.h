// SIGINT and SIGTERM as something to read.
#pragma once

namespace twinkle::base {

// They end nothing any more. Before the first thread, which hands it on to all others.
void BlockEndSignals();

// A descriptor, the caller's own, that can be read once one of them has come; negative: the process has no room for
// more descriptors.
int EndSignalFd();

}  // namespace twinkle::base
