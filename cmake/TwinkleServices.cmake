# The services carry the libraries that start slowly.
#
# gRPC and what it is made of are forty shared libraries with 15,000 symbols to look up: 10 of the 15 ms that a service
# needed to start, and a private cluster starts two. Their archives, linked into the service, cost 4 ms in all. Libraries
# of other projects that get security updates of their own (OpenSSL, c-ares, zlib, SQLite) stay shared.
include_guard(GLOBAL)

option(TWINKLE_STATIC_SERVICES "Link gRPC, protobuf and Abseil into the services, where there are archives of them" ON)

# The targets below `target` that have an archive beside their shared library, and all others.
function(_twinkle_collect_archives target)
  get_property(seen GLOBAL PROPERTY TWINKLE_SEEN_LIBRARIES)
  if(target IN_LIST seen)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY TWINKLE_SEEN_LIBRARIES "${target}")
  if(NOT TARGET "${target}" OR NOT target MATCHES "^(gRPC|protobuf|absl)::")
    set_property(GLOBAL APPEND PROPERTY TWINKLE_SHARED_LIBRARIES "${target}")
    return()
  endif()
  get_target_property(type "${target}" TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    get_target_property(location "${target}" LOCATION)
    string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${location}")
    if(NOT archive MATCHES "\\.a$" OR NOT EXISTS "${archive}")
      set_property(GLOBAL APPEND PROPERTY TWINKLE_MISSING_ARCHIVES "${target}")
    endif()
    set_property(GLOBAL APPEND PROPERTY TWINKLE_ARCHIVES "${archive}")
  endif()
  get_target_property(dependencies "${target}" INTERFACE_LINK_LIBRARIES)
  if(NOT dependencies)
    return()
  endif()
  foreach(dependency IN LISTS dependencies)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" dependency "${dependency}")
    _twinkle_collect_archives("${dependency}")
  endforeach()
endfunction()

# Makes twinkle_carried_libraries if every library that it would hold has an archive.
function(_twinkle_add_carried_libraries)
  foreach(target IN ITEMS gRPC::grpc++ protobuf::libprotobuf ${TWINKLE_ABSEIL_TARGETS})
    _twinkle_collect_archives(${target})
  endforeach()
  get_property(missing GLOBAL PROPERTY TWINKLE_MISSING_ARCHIVES)
  if(missing)
    message(STATUS "The services use shared libraries: no archive of ${missing}")
    return()
  endif()
  get_property(archives GLOBAL PROPERTY TWINKLE_ARCHIVES)
  get_property(shared GLOBAL PROPERTY TWINKLE_SHARED_LIBRARIES)
  list(JOIN archives "," archives)
  add_library(twinkle_carried_libraries INTERFACE)
  target_link_libraries(twinkle_carried_libraries INTERFACE "$<LINK_GROUP:RESCAN,${archives}>" ${shared})
  target_link_options(twinkle_carried_libraries INTERFACE ${TWINKLE_PACKING_LINK_OPTIONS})
endfunction()

if(TWINKLE_STATIC_SERVICES AND TWINKLE_SANITIZE STREQUAL "none")
  _twinkle_add_carried_libraries()
endif()

# Lets executables that say so (twinkle_is_service) link archives where `target`, a part of them, names shared libraries.
function(twinkle_may_carry_libraries target)
  if(NOT TARGET twinkle_carried_libraries)
    return()
  endif()
  set(carries "$<BOOL:$<TARGET_PROPERTY:TWINKLE_CARRIES_LIBRARIES>>")
  foreach(property IN ITEMS LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(libraries ${target} ${property})
    list(TRANSFORM libraries REPLACE "^((\\$<LINK_ONLY:)?(gRPC|protobuf|absl)::.*)$" "$<$<NOT:${carries}>:\\1>")
    list(APPEND libraries "$<${carries}:twinkle_carried_libraries>")
    set_property(TARGET ${target} PROPERTY ${property} "${libraries}")
  endforeach()
endfunction()

# Says that the executable `target` is started often, and by users: it carries its libraries.
function(twinkle_is_service target)
  set_property(TARGET ${target} PROPERTY TWINKLE_CARRIES_LIBRARIES ON)
endfunction()
