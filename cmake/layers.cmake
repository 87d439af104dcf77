# forge_layer(NAME [DEPENDS layer...] [LIBRARIES lib...])
# A directory of src/forge is one static library, forge_NAME, of all the .cpp files below it. DEPENDS
# names the layers further down the ladder that it may include (tests/tree checks the includes).
function(forge_layer name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/forge/${name}/*.cpp)
  # Compiled once per ISA level, by kernels/cpu/levels.cmake and tensor/levels.cmake.
  list(FILTER sources EXCLUDE REGEX "/(kernels/cpu|tensor)/level/")
  # Libraries of their own, of which a program links one or another: kernels/cuda/libraries.cmake.
  list(FILTER sources EXCLUDE REGEX "/(kernels|models)/cuda/")
  if(NOT sources)
    add_library(forge_${name} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(forge_${name} STATIC ${sources})
    set(scope PUBLIC)
  endif()
  list(TRANSFORM arg_DEPENDS PREPEND forge_)
  target_link_libraries(forge_${name} ${scope} forge_flags ${arg_DEPENDS} ${arg_LIBRARIES})
endfunction()

# forge_tests(NAME [LIBRARIES lib...])
# All *_test.cpp files of tests/NAME make one program, NAME_tests; each of its cases is a ctest entry.
# Of a folder in a folder (cli/chat) the program is cli_chat_tests.
function(forge_tests folder)
  cmake_parse_arguments(arg "" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*.cpp)
  string(REPLACE "/" "_" name ${folder})
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_include_directories(${name}_tests PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name}_tests PRIVATE FORGE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_tests PRIVATE forge_flags ${arg_LIBRARIES} GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name}_tests TEST_PREFIX "${name}." PROPERTIES TIMEOUT 600
    DISCOVERY_TIMEOUT 60)
endfunction()

# forge_python_test(NAME SCRIPT ARGUMENTS...)
# A Python script as a ctest entry. It compares a program of ours with the original library, and is
# reported as skipped where that is not installed (tools/install_python.sh installs it).
function(forge_python_test name script)
  add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/tools/python_test.sh ${script} ${ARGN})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endfunction()
