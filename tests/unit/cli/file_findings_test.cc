#include "client/cli/file_findings.h"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/folder.h"

namespace twinkle::cli {
namespace {

using Catch::Matchers::ContainsSubstring;

TEST_CASE("a token file that is missing keeps only a program from working that needs it") {
  const tests::Folder folder;
  const std::string file = folder / "token";
  const Finding needed = TokenFinding(file, /*needed=*/true);
  CHECK(needed.level == Finding::Level::kBad);
  CHECK_THAT(needed.detail, ContainsSubstring(file) && ContainsSubstring("--token-file"));
  const Finding not_needed = TokenFinding(file, /*needed=*/false);
  CHECK(not_needed.level == Finding::Level::kNote);
  CHECK_THAT(not_needed.detail, ContainsSubstring(file) && ContainsSubstring("twinkle-driver makes one"));
  CHECK(TokenFinding("", /*needed=*/false).level == Finding::Level::kNote);
}

TEST_CASE("a token file that is there must be right, needed or not") {
  const tests::Folder folder;
  const std::string file = folder / "token";
  std::ofstream(file) << "secret\n";
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  for (const bool needed : {false, true}) CHECK(TokenFinding(file, needed).level == Finding::Level::kBad);
  CHECK_THAT(TokenFinding(file, false).detail, ContainsSubstring("chmod 600"));
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  for (const bool needed : {false, true}) CHECK(TokenFinding(file, needed).level == Finding::Level::kFine);
}

TEST_CASE("a folder that is missing, or is none, takes no results") {
  const tests::Folder folder;
  const std::string file = folder / "file";
  std::ofstream(file) << "x";
  for (const std::string& wrong : {std::string("/nowhere"), file, std::string()}) {
    CAPTURE(wrong);
    const Finding finding = SpillFinding(wrong);
    CHECK(finding.level == Finding::Level::kBad);
    CHECK_THAT(finding.detail, ContainsSubstring(wrong) && ContainsSubstring("TWINKLE_SPILL_DIR"));
  }
  CHECK_THAT(SpillFinding(folder.path()).detail, ContainsSubstring(folder.path()));
}

TEST_CASE("a disk without room is bad, one with little room a note") {
  CHECK(RoomFinding("/spill", 0).level == Finding::Level::kBad);
  CHECK_THAT(RoomFinding("/spill", 0).detail, ContainsSubstring("TWINKLE_SPILL_DIR"));
  CHECK(RoomFinding("/spill", kLittleRoom - 1).level == Finding::Level::kNote);
  CHECK(RoomFinding("/spill", kLittleRoom).level == Finding::Level::kFine);
}

}  // namespace
}  // namespace twinkle::cli
