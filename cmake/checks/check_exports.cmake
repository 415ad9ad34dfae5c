# Fails when the shared library shows a name that is not one of namespace twinkle's, or one of a directory's own namespace,
# which no program may rely on.
#   cmake -DNM=nm -DLIBRARY=libtwinkle.so -DINTERNAL=base,mesh,... -P check_exports.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND "${NM}" -D --defined-only --format=posix "${LIBRARY}"
                OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${output}")
string(REPLACE "," ";" directories "${INTERNAL}")
set(internal)  # as they are mangled: 4base|4mesh|...
foreach(directory IN LISTS directories)
  string(LENGTH "${directory}" length)
  list(APPEND internal "${length}${directory}")
endforeach()
list(JOIN internal "|" internal)
# _ZN7twinkle..., _ZNK7twinkle..., and the tables, guards and thunks of such names.
set(ours "^_Z(T[VTISHWC]|T[hv][n0-9_]+_|GV)*Z*N[KRO]*7twinkle")
set(foreign)
set(count 0)
foreach(line IN LISTS lines)
  string(REGEX REPLACE " .*" "" symbol "${line}")
  math(EXPR count "${count} + 1")
  if(NOT symbol MATCHES "${ours}" OR symbol MATCHES "${ours}(${internal})")
    list(APPEND foreign "${symbol}")
  endif()
endforeach()
if(count EQUAL 0)
  message(FATAL_ERROR "${LIBRARY} exports nothing")
elseif(foreign)
  list(JOIN foreign "\n  " foreign)
  message(FATAL_ERROR "${LIBRARY} exports what is not public:\n  ${foreign}")
endif()
message(STATUS "${count} names, all of them public")
