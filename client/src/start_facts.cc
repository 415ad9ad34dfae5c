#include "client/src/start_facts.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <filesystem>
#include <fstream>
#include <utility>

#include "runtime/base/descriptor_table.h"

namespace twinkle::internal {
namespace {

// The working directory, the only fact that the kernel does not keep. Empty if it could not be told.
char directory[PATH_MAX] = {};
__attribute__((constructor)) void NoteDirectory() {
  if (::getcwd(directory, sizeof(directory)) == nullptr) directory[0] = '\0';
}

// Widens the table while the program has, mostly, no threads yet.
__attribute__((constructor)) void WidenTable() { base::WidenDescriptorTable(); }

std::vector<std::string> WordsOf(const char* file_name) {
  std::ifstream file(file_name, std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

}  // namespace

StartFacts TheStart() {
  StartFacts facts{WordsOf("/proc/self/cmdline"), {}, directory};
  for (std::string& variable : WordsOf("/proc/self/environ")) {
    if (variable.find('=') != std::string::npos) facts.environment.push_back(std::move(variable));
  }
  if (facts.environment.empty()) {  // a process that may not be looked at
    for (char** variable = environ; *variable != nullptr; ++variable) facts.environment.emplace_back(*variable);
  }
  std::error_code ignored;
  if (facts.directory.empty()) facts.directory = std::filesystem::current_path(ignored).string();
  return facts;
}

void KeepStandardDescriptors() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= 0 && fd <= STDERR_FILENO) ::fcntl(fd, F_SETFD, 0);  // as any other of these
  } while (fd >= 0 && fd < STDERR_FILENO);
  if (fd > STDERR_FILENO) ::close(fd);
}

}  // namespace twinkle::internal
