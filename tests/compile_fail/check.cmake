# Compiles SOURCE. One that is called *_ok.cc must compile. Any other must not, and the compiler must say what its first
# lines expect:
#   // EXPECT: a part of the message
#   // FIRST: a part of the first error's line
#   cmake -DCOMPILER=c++ -DSOURCE=FILE -DINCLUDES=dir|dir -P check.cmake
cmake_minimum_required(VERSION 3.25)
string(REPLACE "|" ";" includes "${INCLUDES}")
list(FILTER includes EXCLUDE REGEX "^$")
list(TRANSFORM includes PREPEND "-I")
execute_process(COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C "${COMPILER}" -std=c++20 -fsyntax-only ${includes} "${SOURCE}"
                RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)

if(SOURCE MATCHES "_ok\\.cc$")
  if(failed)
    message(FATAL_ERROR "${SOURCE} does not compile:\n${said}")
  endif()
  return()
endif()

if(NOT failed)
  message(FATAL_ERROR "${SOURCE} compiles, but must not")
endif()
file(READ "${SOURCE}" text)
string(REGEX MATCH "^(// (EXPECT|FIRST): [^\n]+\n)+" expectations "${text}")
if(NOT expectations)
  message(FATAL_ERROR "${SOURCE} does not begin with '// EXPECT: part of a message', nor with '// FIRST:'")
endif()
string(REGEX MATCH "error: [^\n]+" first "${said}")
# Not as a CMake list: messages may hold semicolons and brackets.
while(expectations MATCHES "^// (EXPECT|FIRST): ([^\n]+)\n")
  set(expected "${CMAKE_MATCH_2}")
  set(where said)
  if(CMAKE_MATCH_1 STREQUAL "FIRST")
    set(where first)
  endif()
  string(LENGTH "${CMAKE_MATCH_0}" length)
  string(SUBSTRING "${expectations}" ${length} -1 expectations)
  string(FIND "${${where}}" "${expected}" place)
  if(place EQUAL -1)
    message(FATAL_ERROR "${SOURCE} does not compile, but the compiler does not say (${where})\n  ${expected}\nIt says\n"
                        "${said}")
  endif()
endwhile()
