# forge_build_info: gives its users "forge/build_info.h", what `forge version` says of a build.
# The commit is asked for when the header is made, and the header is made anew when HEAD moves
# (git appends to its HEAD log then), so that a later commit shows without configuring again.
find_package(Git QUIET)
set(head_log "")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path logs/HEAD
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE head_log ERROR_QUIET
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  get_filename_component(head_log "${head_log}" ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
  if(NOT EXISTS "${head_log}" OR IS_DIRECTORY "${head_log}")
    set(head_log "")
  endif()
endif()

set(build_options "")
foreach(option FORGE_SCALAR FORGE_CUDA FORGE_SANITIZE)
  set(value "${${option}}")
  if(NOT value)
    set(value OFF)
  endif()
  list(APPEND build_options "${option}=${value}")
endforeach()
list(JOIN build_options " " build_options)

set(build_info_header ${PROJECT_BINARY_DIR}/generated/forge/build_info.h)
add_custom_command(OUTPUT ${build_info_header}
  COMMAND ${CMAKE_COMMAND}
    -D OUTPUT=${build_info_header} -D SOURCE_DIR=${PROJECT_SOURCE_DIR} -D GIT=${GIT_EXECUTABLE}
    -D VERSION=${PROJECT_VERSION} -D BUILD_TYPE=${CMAKE_BUILD_TYPE}
    -D "COMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
    -D "OPTIONS=${build_options}" -P ${PROJECT_SOURCE_DIR}/cmake/write_build_info.cmake
  DEPENDS ${PROJECT_SOURCE_DIR}/cmake/write_build_info.cmake
    ${PROJECT_SOURCE_DIR}/cmake/build_info.h.in ${head_log}
  COMMENT "Writing build_info.h" VERBATIM)
add_custom_target(forge_build_info_header DEPENDS ${build_info_header})

add_library(forge_build_info INTERFACE)
add_dependencies(forge_build_info forge_build_info_header)
target_include_directories(forge_build_info INTERFACE ${PROJECT_BINARY_DIR}/generated)
