// The program as it was started: its worker processes are started so, too, and run its main from the beginning. What
// main has done meanwhile (a change of folder, a longer PATH) they do themselves.
#pragma once

#include <string>
#include <vector>

namespace twinkle::internal {

struct StartFacts {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=VALUE
  std::string directory;                 // when this library was loaded
};
StartFacts TheStart();

// Opens /dev/null as descriptors 0, 1 and 2 where they are closed. Otherwise the next socket or file that anybody opens
// is taken for standard input or output.
void KeepStandardDescriptors();

}  // namespace twinkle::internal
