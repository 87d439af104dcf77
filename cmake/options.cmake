# Language level, warnings, sanitizers: everything that holds for every target of Forge.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(FORGE_BUILD_TESTS "Build the tests" ON)
option(FORGE_WERROR "Treat warnings as errors" OFF)
option(FORGE_SCALAR "Keep SIMD out of the kernels: no vectorised loops" OFF)
option(FORGE_CUDA "Build for NVIDIA devices too (cmake/cuda.cmake)" OFF)
set(FORGE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them (address,undefined | thread)")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# One target carries the flags, so that third-party code never gets them by accident.
add_library(forge_flags INTERFACE)
target_include_directories(forge_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
# Not for nvcc, which has options of its own (cmake/cuda.cmake).
# -ffp-contract=off: a fused multiply-add where the source has none would make the bits of a result
# depend on the compiler and its flags; kernels that want fma say so.
set(not_cuda "$<NOT:$<COMPILE_LANGUAGE:CUDA>>")
target_compile_options(forge_flags INTERFACE
  "$<${not_cuda}:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wno-sign-conversion;-Wshadow;-ffp-contract=off>")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies inside std::string's own operator+ (GCC bug 105651).
  target_compile_options(forge_flags INTERFACE "$<${not_cuda}:-Wno-restrict>")
endif()
if(FORGE_WERROR)
  target_compile_options(forge_flags INTERFACE "$<${not_cuda}:-Werror>")
endif()
if(FORGE_SCALAR)
  # The kernels are plain loops; this keeps the compiler from making SIMD of them.
  target_compile_options(forge_flags INTERFACE
    "$<${not_cuda}:-fno-tree-vectorize;-fno-tree-slp-vectorize>")
endif()
if(FORGE_SANITIZE)
  target_compile_options(forge_flags INTERFACE
    -fsanitize=${FORGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(forge_flags INTERFACE -fsanitize=${FORGE_SANITIZE})
endif()
