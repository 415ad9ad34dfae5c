# Checks of the source tree: layers, the clock, headers that stand alone, format.
include_guard(GLOBAL)

find_package(Python3 REQUIRED COMPONENTS Interpreter)

file(GLOB_RECURSE checked_files CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}"
     runtime/*.h runtime/*.cc client/*.h client/*.cc driver/*.h driver/*.cc worker/*.h worker/*.cc tests/*.h tests/*.cc)

# ---- layers: part of every build --------------------------------------------------------------------------------------
get_property(layers GLOBAL PROPERTY TWINKLE_LAYERS)
set(TWINKLE_LAYER_CHECK
    "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/cmake/checks/check_layers.py" "${PROJECT_SOURCE_DIR}" ${layers})
list(TRANSFORM checked_files PREPEND "${PROJECT_SOURCE_DIR}/" OUTPUT_VARIABLE checked_paths)
set(layers_stamp "${PROJECT_BINARY_DIR}/layers.stamp")
add_custom_command(
    OUTPUT "${layers_stamp}"
    COMMAND ${TWINKLE_LAYER_CHECK}
    COMMAND "${CMAKE_COMMAND}" -E touch "${layers_stamp}"
    DEPENDS ${checked_paths} "${PROJECT_SOURCE_DIR}/cmake/checks/check_layers.py"
    COMMENT "Checking what includes what" VERBATIM)
add_custom_target(twinkle_layer_check ALL DEPENDS "${layers_stamp}")

# ---- the clock that decides: part of every build --------------------------------------------------------------------------
set(TWINKLE_CLOCK_CHECK
    "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/cmake/checks/check_clock.py" "${PROJECT_SOURCE_DIR}")
set(clock_stamp "${PROJECT_BINARY_DIR}/clock.stamp")
add_custom_command(
    OUTPUT "${clock_stamp}"
    COMMAND ${TWINKLE_CLOCK_CHECK}
    COMMAND "${CMAKE_COMMAND}" -E touch "${clock_stamp}"
    DEPENDS ${checked_paths} "${PROJECT_SOURCE_DIR}/cmake/checks/check_clock.py"
    COMMENT "Checking that wall time decides nothing" VERBATIM)
add_custom_target(twinkle_clock_check ALL DEPENDS "${clock_stamp}")

# ---- every header compiles alone, the public ones as users see them ----------------------------------------------------
# Removes from the list the headers that a source of the same name includes first: it shows the same where each file is
# compiled alone, as the debug preset does (long.each_file_alone).
function(twinkle_remove_shown_alone list)
  set(rest)
  foreach(header IN LISTS ${list})
    string(REGEX REPLACE "\\.h$" ".cc" source "${header}")
    set(first)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${source}")
      file(STRINGS "${PROJECT_SOURCE_DIR}/${source}" first REGEX "^#include" LIMIT_COUNT 1)
    endif()
    cmake_path(GET header FILENAME name)
    if(NOT first MATCHES "[\"/]${name}\"$")
      list(APPEND rest "${header}")
    endif()
  endforeach()
  set(${list} "${rest}" PARENT_SCOPE)
endfunction()

# twinkle_compile_each(target library header...): compiles `#include <header>` for each.
function(twinkle_compile_each target library)
  set(sources)
  foreach(header IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "${header}" name)
    set(source "${PROJECT_BINARY_DIR}/header_check/${name}.cc")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n" @ONLY)
    list(APPEND sources "${source}")
  endforeach()
  if(sources)
    add_library(${target} OBJECT ${sources})
    if(CMAKE_UNITY_BUILD)  # it takes a tenth of a build, and so is left to the debug preset, as all that is alone there
      set_target_properties(${target} PROPERTIES UNITY_BUILD OFF EXCLUDE_FROM_ALL ON)
    endif()
    target_link_libraries(${target} PRIVATE ${library})
    target_compile_options(${target} PRIVATE -O0 -g0)
  endif()
endfunction()

set(public_headers ${checked_files})
list(FILTER public_headers INCLUDE REGEX "^(runtime|client)/include/.*\\.h$")
list(TRANSFORM public_headers REPLACE "^(runtime|client)/include/" "")
set(private_headers ${checked_files})
list(FILTER private_headers INCLUDE REGEX "^(runtime|client/src|driver|worker)/.*\\.h$")
list(FILTER private_headers EXCLUDE REGEX "^(runtime|client)/include/")
twinkle_remove_shown_alone(private_headers)
twinkle_compile_each(twinkle_public_header_check twinkle ${public_headers})
twinkle_compile_each(twinkle_private_header_check twinkle_internal ${private_headers})
target_link_libraries(twinkle_private_header_check PRIVATE twinkle_services)

# ---- format ------------------------------------------------------------------------------------------------------------
# Another major version of clang-format breaks lines elsewhere, so its word does not count.
find_program(TWINKLE_CLANG_FORMAT NAMES clang-format-14 clang-format)
if(TWINKLE_CLANG_FORMAT)
  execute_process(COMMAND "${TWINKLE_CLANG_FORMAT}" --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(version MATCHES "version 14\\.")
    set(TWINKLE_FORMAT_CHECK "${TWINKLE_CLANG_FORMAT}" --dry-run --Werror ${checked_files})
    add_custom_target(format-check COMMAND ${TWINKLE_FORMAT_CHECK}
                      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" VERBATIM)
    add_custom_target(format COMMAND "${TWINKLE_CLANG_FORMAT}" -i ${checked_files}
                      WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" VERBATIM)
  else()
    message(STATUS "The format is not checked: that takes clang-format 14, and this is ${version}")
  endif()
endif()
