# Installs the build in BUILD below SCRATCH, then configures, builds and runs this folder's project against it. At last
# the same project is given another Abseil, which must be noticed when it is configured.
#   cmake -DBUILD=dir -DSCRATCH=dir -DGENERATOR=Ninja -DCOMPILER=c++ -DPREFIXES=dir;dir -P check.cmake
cmake_minimum_required(VERSION 3.25)
set(prefix "${SCRATCH}/prefix")
file(REMOVE_RECURSE "${SCRATCH}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}"
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
# Wherever the package files are, their folder is told directly: no Twinkle of this machine is found by mistake.
file(GLOB_RECURSE config "${prefix}/TwinkleConfig.cmake")
cmake_path(GET config PARENT_PATH package)
set(configure
    "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
    -DCMAKE_BUILD_TYPE=Debug "-DTwinkle_DIR=${package}")

execute_process(COMMAND ${configure} -B "${SCRATCH}/build" "-DCMAKE_PREFIX_PATH=${PREFIXES}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${SCRATCH}/build" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${SCRATCH}/build/consumer" COMMAND_ERROR_IS_FATAL ANY)

set(other "${SCRATCH}/other_abseil")
file(WRITE "${other}/include/absl/base/config.h" "#define ABSL_LTS_RELEASE_VERSION 19990101\n")
file(WRITE "${other}/include/absl/base/options.h" "#define ABSL_OPTION_USE_STD_ANY 1\n")
file(WRITE "${other}/abslConfig.cmake"
     "add_library(absl::config INTERFACE IMPORTED)\n"
     "target_include_directories(absl::config INTERFACE \"\${CMAKE_CURRENT_LIST_DIR}/include\")\n")
execute_process(COMMAND ${configure} -B "${SCRATCH}/other_build" "-Dabsl_DIR=${other}"
                RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT failed OR NOT said MATCHES "another[ \n]+Abseil")
  message(FATAL_ERROR "A project with another Abseil than the library's was configured:\n${said}")
endif()
