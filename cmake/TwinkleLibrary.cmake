# One target for each directory, and the libraries that are made of them.
include_guard(GLOBAL)

define_property(GLOBAL PROPERTY TWINKLE_PARTS BRIEF_DOCS "Object libraries that make up the library")
define_property(GLOBAL PROPERTY TWINKLE_LAYERS BRIEF_DOCS "directory=direct,dependencies for the layer check")

set(TWINKLE_ABSEIL_TARGETS
    absl::any_invocable absl::cord absl::flat_hash_map absl::status absl::statusor absl::strings
    absl::synchronization absl::time)
set(TWINKLE_PUBLIC_INCLUDES
    "${PROJECT_SOURCE_DIR}/runtime/include" "${PROJECT_SOURCE_DIR}/client/include" "${TWINKLE_GENERATED_INCLUDE}")

# twinkle_library(name [DIRECTORY dir] [DEPS part...] [LIBRARIES target...])
#
# Adds twinkle_<name>: all sources of `dir` (default: <name> below the current directory), and of the folders in it, which
# are for people: one target, one namespace. DEPS are the parts that it may
# include, by name; LIBRARIES are what only its sources use.
function(twinkle_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "DIRECTORY" "DEPS;LIBRARIES")
  if(NOT arg_DIRECTORY)
    set(arg_DIRECTORY "${name}")
  endif()
  set(directory "${CMAKE_CURRENT_SOURCE_DIR}/${arg_DIRECTORY}")
  file(GLOB sources CONFIGURE_DEPENDS "${directory}/*.cc" "${directory}/*/*.cc")
  list(TRANSFORM arg_DEPS PREPEND twinkle_ OUTPUT_VARIABLE dependencies)

  set(target twinkle_${name})
  if(sources)
    add_library(${target} OBJECT ${sources})
    target_link_libraries(${target} PUBLIC ${dependencies} PRIVATE ${arg_LIBRARIES})
    set(scope PUBLIC)
    set_property(GLOBAL APPEND PROPERTY TWINKLE_PARTS ${target})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${dependencies})
    set(scope INTERFACE)
  endif()
  twinkle_use_source_tree(${target} ${scope})
  target_link_libraries(${target} ${scope} ${TWINKLE_ABSEIL_TARGETS} Threads::Threads)

  list(JOIN arg_DEPS "," layer)
  set_property(GLOBAL APPEND PROPERTY TWINKLE_LAYERS "${name}=${layer}")
endfunction()

# Lets `target` include "runtime/…" and <twinkle/…>.
function(twinkle_use_source_tree target scope)
  target_include_directories(${target} ${scope} "${PROJECT_SOURCE_DIR}" ${TWINKLE_PUBLIC_INCLUDES})
endfunction()

# Makes `target` (a shared or static library without sources of its own) of the object files of the parts named, of all
# parts if none is.
function(twinkle_link_parts target)
  get_property(parts GLOBAL PROPERTY TWINKLE_PARTS)
  if(ARGN)
    list(TRANSFORM ARGN PREPEND twinkle_ OUTPUT_VARIABLE parts)
  endif()
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  foreach(part IN LISTS parts)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${part}>)
    # Libraries that one part alone uses.
    get_target_property(libraries ${part} LINK_LIBRARIES)
    list(FILTER libraries EXCLUDE REGEX "^twinkle_")
    target_link_libraries(${target} PRIVATE ${libraries})
  endforeach()
endfunction()
