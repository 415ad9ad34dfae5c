# Abseil is the one library that Twinkle's interface shares with the programs that use it: both sides must have the very
# same one. Installed with the package, so that the question is asked the same way there.

# Sets `result` to one line that is equal exactly for Abseils that fit each other: the release, and the options that decide
# what its types are.
function(twinkle_abseil_fingerprint result)
  get_target_property(include_dirs absl::config INTERFACE_INCLUDE_DIRECTORIES)
  find_file(options_header absl/base/options.h PATHS ${include_dirs} NO_DEFAULT_PATH NO_CACHE REQUIRED)
  find_file(config_header absl/base/config.h PATHS ${include_dirs} NO_DEFAULT_PATH NO_CACHE REQUIRED)
  file(STRINGS "${config_header}" release REGEX "^#define ABSL_LTS_RELEASE_VERSION ")
  file(STRINGS "${options_header}" options REGEX "^#define ABSL_OPTION_")
  set(lines ${release} ${options})
  list(TRANSFORM lines REPLACE "^#define ABSL_(LTS_|OPTION_)?" "")
  list(JOIN lines ", " line)
  set(${result} "${line}" PARENT_SCOPE)
endfunction()
