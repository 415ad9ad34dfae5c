# What starts often, or is mapped by many processes, carries the libraries that start slowly and weigh much.
#
# gRPC and what it is made of are forty shared libraries with 15,000 symbols to look up: 10 of the 15 ms that a service
# needed to start, and a private cluster starts two. Linked into it, of their archives only what is used is there, and its
# symbols are bound already. The shared library for users carries gRPC for the memory of each rank, and so that it does
# not meet another gRPC in the user's program; Abseil is part of its interface and stays shared, and Debian's archive of
# protobuf cannot be part of a shared library. Of OpenSSL, SHA-256 is taken. Other libraries stay shared.
include_guard(GLOBAL)

option(TWINKLE_CARRY_LIBRARIES "Link archives of gRPC and others into the services and the library, where there are any" ON)

# Adds to the lists ${name}_ARCHIVES, ${name}_SHARED and ${name}_MISSING (properties of the project): the archive of each
# imported target from `target` on whose name matches `pattern`, what else is needed, and what has no archive.
function(_twinkle_collect_archives name pattern target)
  get_property(seen GLOBAL PROPERTY ${name}_SEEN)
  if(target IN_LIST seen)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY ${name}_SEEN "${target}")
  if(NOT TARGET "${target}" OR NOT target MATCHES "${pattern}")
    set_property(GLOBAL APPEND PROPERTY ${name}_SHARED "${target}")
    return()
  endif()
  get_target_property(type "${target}" TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    get_target_property(location "${target}" LOCATION)
    string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${location}")
    if(NOT archive MATCHES "\\.a$" OR NOT EXISTS "${archive}")
      set_property(GLOBAL APPEND PROPERTY ${name}_MISSING "${target}")
    endif()
    set_property(GLOBAL APPEND PROPERTY ${name}_ARCHIVES "${archive}")
  endif()
  get_target_property(dependencies "${target}" INTERFACE_LINK_LIBRARIES)
  if(dependencies)
    foreach(dependency IN LISTS dependencies)
      string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" dependency "${dependency}")
      _twinkle_collect_archives(${name} "${pattern}" "${dependency}")
    endforeach()
  endif()
endfunction()

# Makes the interface library `name`: the archives of all from `roots` on that match `pattern`. Without one of them there
# is no such target: what is half carried and half shared would be there twice.
function(_twinkle_add_archives name pattern)
  foreach(root IN LISTS ARGN)
    _twinkle_collect_archives(${name} "${pattern}" ${root})
  endforeach()
  get_property(archives GLOBAL PROPERTY ${name}_ARCHIVES)
  get_property(shared GLOBAL PROPERTY ${name}_SHARED)
  get_property(missing GLOBAL PROPERTY ${name}_MISSING)
  if(missing)
    message(STATUS "Everything stays shared: no archive of ${missing}")
    return()
  endif()
  list(JOIN archives "," archives)
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE "$<LINK_GROUP:RESCAN,${archives}>" ${shared})
  target_link_options(${name} INTERFACE ${TWINKLE_PACKING_LINK_OPTIONS})
endfunction()

set(TWINKLE_LIBRARY_CARRIES "^(gRPC|OpenSSL)::")
set(TWINKLE_SERVICE_CARRIES "^(gRPC|OpenSSL|protobuf|absl)::")
if(TWINKLE_CARRY_LIBRARIES AND TWINKLE_SANITIZE STREQUAL "none")
  _twinkle_add_archives(twinkle_library_archives "${TWINKLE_LIBRARY_CARRIES}" gRPC::grpc++_unsecure OpenSSL::Crypto)
  _twinkle_add_archives(twinkle_service_archives "${TWINKLE_SERVICE_CARRIES}"
                        gRPC::grpc++_unsecure OpenSSL::Crypto protobuf::libprotobuf ${TWINKLE_ABSEIL_TARGETS})
endif()

# The shared library `target`, all of whose parts are named, carries what it can.
function(twinkle_library_carries target)
  if(TARGET twinkle_library_archives)
    get_target_property(libraries ${target} LINK_LIBRARIES)
    list(FILTER libraries EXCLUDE REGEX "${TWINKLE_LIBRARY_CARRIES}")
    set_property(TARGET ${target} PROPERTY LINK_LIBRARIES "${libraries}")
    target_link_libraries(${target} PRIVATE twinkle_library_archives)
  endif()
endfunction()

# `target`, of which services are made, and tests: the former, which say so, carry what they can.
function(twinkle_services_carry target)
  if(NOT TARGET twinkle_service_archives)
    return()
  endif()
  set(carries "$<BOOL:$<TARGET_PROPERTY:TWINKLE_IS_SERVICE>>")
  string(REPLACE "^" "" pattern "${TWINKLE_SERVICE_CARRIES}")
  foreach(property IN ITEMS LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(libraries ${target} ${property})
    list(TRANSFORM libraries REPLACE "^((\\$<LINK_ONLY:)?${pattern}.*)$" "$<$<NOT:${carries}>:\\1>")
    list(APPEND libraries "$<${carries}:twinkle_service_archives>")
    set_property(TARGET ${target} PROPERTY ${property} "${libraries}")
  endforeach()
endfunction()

# Says that the executable `target` is one that users, and private clusters, start often.
function(twinkle_is_service target)
  set_property(TARGET ${target} PROPERTY TWINKLE_IS_SERVICE ON)
endfunction()
