# Headers, library, documentation and package files, so that another project finds them with find_package(Twinkle).
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Twinkle")

foreach(include_dir IN LISTS TWINKLE_PUBLIC_INCLUDES)
  install(DIRECTORY "${include_dir}/twinkle" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/twinkle" FILES_MATCHING PATTERN "*.md")
install(TARGETS twinkle EXPORT TwinkleTargets)
install(EXPORT TwinkleTargets NAMESPACE Twinkle:: DESTINATION "${package_dir}")

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/TwinkleConfig.cmake.in" "${PROJECT_BINARY_DIR}/TwinkleConfig.cmake"
    INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/TwinkleConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/TwinkleConfig.cmake" "${PROJECT_BINARY_DIR}/TwinkleConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/TwinkleAbseil.cmake"
        DESTINATION "${package_dir}")
