# How tests are declared. A file that is called *_test.cc and is part of none of them stops the configuration.
include_guard(GLOBAL)

define_property(GLOBAL PROPERTY TWINKLE_TEST_FILES BRIEF_DOCS "The *_test.cc that some test binary has")

set(TWINKLE_TEST_TIMEOUT 120)
set(TWINKLE_TEST_LAUNCHER)
set(TWINKLE_TEST_ENVIRONMENT)
if(TWINKLE_SANITIZE STREQUAL "address")
  set(TWINKLE_TEST_TIMEOUT 300)
  list(APPEND TWINKLE_TEST_ENVIRONMENT
       "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1" UBSAN_OPTIONS=print_stacktrace=1)
elseif(TWINKLE_SANITIZE STREQUAL "thread")
  set(TWINKLE_TEST_TIMEOUT 600)
  list(APPEND TWINKLE_TEST_ENVIRONMENT "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:allocator_may_return_null=1")
  # Kernels that randomize more address bits than the sanitizer's runtime expects make it give up at start.
  execute_process(COMMAND setarch ${CMAKE_HOST_SYSTEM_PROCESSOR} -R true RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(NOT failed)
    set(TWINKLE_TEST_LAUNCHER setarch ${CMAKE_HOST_SYSTEM_PROCESSOR} -R)
  endif()
endif()

# twinkle_test(name SOURCES file... LIBRARIES target... LABELS label... [TIMEOUT seconds])
#
# One Catch2 binary and one test of that name. Messages for protobuf tests are named among the SOURCES: *.proto, included
# by their path from the root of the tree.
function(twinkle_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT ${TWINKLE_TEST_TIMEOUT})
  endif()
  set(protos ${arg_SOURCES})
  list(FILTER protos INCLUDE REGEX "\\.proto$")
  list(FILTER arg_SOURCES EXCLUDE REGEX "\\.proto$")

  string(MAKE_C_IDENTIFIER "twinkle_${name}" target)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE twinkle_test_main ${arg_LIBRARIES})
  if(protos)
    twinkle_test_messages(${target} ${protos})
  endif()
  add_test(NAME ${name} COMMAND ${TWINKLE_TEST_LAUNCHER} $<TARGET_FILE:${target}>)
  set_tests_properties(${name} PROPERTIES
      LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${TWINKLE_TEST_ENVIRONMENT}")
  foreach(label IN LISTS arg_LABELS)
    if(TARGET twinkle_${label}_tests)
      add_dependencies(twinkle_${label}_tests ${target})
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY TWINKLE_TEST_FILES ${arg_SOURCES})
endfunction()

# Generates code for the messages in `ARGN`; the compiler's warnings about it are nobody's concern here.
function(twinkle_test_messages target)
  find_package(Protobuf REQUIRED)
  set(out "${PROJECT_BINARY_DIR}/generated/messages")
  file(MAKE_DIRECTORY "${out}")
  set(generated)
  foreach(proto IN LISTS ARGN)
    file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${proto}")
    string(REGEX REPLACE "\\.proto$" ".pb" path "${out}/${path}")
    add_custom_command(
        OUTPUT "${path}.cc" "${path}.h"
        COMMAND protobuf::protoc "--proto_path=${PROJECT_SOURCE_DIR}" "--cpp_out=${out}" "${proto}"
        DEPENDS "${proto}" VERBATIM)
    list(APPEND generated "${path}.cc" "${path}.h")
  endforeach()
  add_library(${target}_messages STATIC ${generated})
  target_compile_options(${target}_messages PRIVATE -w)
  target_include_directories(${target}_messages SYSTEM PUBLIC "${out}")
  target_link_libraries(${target}_messages PUBLIC protobuf::libprotobuf)
  target_link_libraries(${target} PRIVATE ${target}_messages)
endfunction()

# Call it after the last twinkle_test().
function(twinkle_check_all_tests_are_registered)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/*_test.cc")
  file(RELATIVE_PATH build "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
  list(FILTER files EXCLUDE REGEX "^${PROJECT_SOURCE_DIR}/(build|${build})/")
  get_property(registered GLOBAL PROPERTY TWINKLE_TEST_FILES)
  list(REMOVE_ITEM files ${registered})
  if(files)
    list(JOIN files "\n  " files)
    message(FATAL_ERROR "These tests belong to no test binary, so nothing would run them:\n  ${files}")
  endif()
endfunction()
