# Compiler, linker and sanitizer settings for everything in this build.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
endif()

add_compile_options(
    -Wall -Wextra
    $<$<BOOL:${TWINKLE_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wthread-safety>)

# Abseil's targets name dozens of libraries; each that is loaded costs every worker process time and memory.
add_link_options(LINKER:--as-needed)

find_program(TWINKLE_LLD NAMES ld.lld)
if(TWINKLE_LLD AND NOT "${CMAKE_CXX_FLAGS} ${CMAKE_EXE_LINKER_FLAGS}" MATCHES "-fuse-ld=")
  add_link_options(-fuse-ld=lld)
endif()

# For what many processes map, or what starts often: what nobody calls is left out, and relocations that are relative,
# nearly all of them, take a bit each, which GNU's linker can, and glibc from 2.36 on.
set(TWINKLE_PACKING_LINK_OPTIONS
    -fuse-ld=bfd LINKER:--gc-sections LINKER:-z,pack-relative-relocs LINKER:-z,noseparate-code)
include(CheckLinkerFlag)
check_linker_flag(CXX "${TWINKLE_PACKING_LINK_OPTIONS}" TWINKLE_LINKER_PACKS_RELOCATIONS)
if(NOT TWINKLE_LINKER_PACKS_RELOCATIONS OR NOT TWINKLE_SANITIZE STREQUAL "none")
  set(TWINKLE_PACKING_LINK_OPTIONS)
endif()

# Paths below the source folder are made relative for the cache, so that a second clone is built from the first one's.
find_program(TWINKLE_CCACHE NAMES ccache)
if(TWINKLE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=true "${TWINKLE_CCACHE}")
endif()

if(TWINKLE_SANITIZE STREQUAL "address")
  set(sanitizer_options -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(TWINKLE_SANITIZE STREQUAL "thread")
  set(sanitizer_options -fsanitize=thread)
elseif(TWINKLE_SANITIZE STREQUAL "none")
  set(sanitizer_options)
else()
  message(FATAL_ERROR "TWINKLE_SANITIZE is none, address or thread, not '${TWINKLE_SANITIZE}'")
endif()
if(sanitizer_options)
  # g++ guesses wrong about instrumented code.
  add_compile_options(${sanitizer_options} -fno-omit-frame-pointer -Wno-maybe-uninitialized)
  add_link_options(${sanitizer_options})
endif()
if(TWINKLE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # libFuzzer sees which way the code goes
endif()
