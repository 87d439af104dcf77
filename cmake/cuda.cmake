# With FORGE_CUDA=ON: finds nvcc, chooses what it compiles for, and with which options.
set(FORGE_CUDA_ARCHITECTURES "80;86;89;90;100;120" CACHE STRING
  "Compute capabilities to compile for, without dots, or \"native\": those of this machine")

if(NOT FORGE_CUDA)
  return()
endif()
if(FORGE_SANITIZE)
  message(FATAL_ERROR "FORGE_CUDA=ON with FORGE_SANITIZE: tests/simt runs the kernels under sanitizers "
    "in builds without CUDA.")
endif()

# Where NVIDIA's packages put it, beside PATH.
find_program(FORGE_NVCC nvcc HINTS ENV CUDACXX PATHS /usr/local/cuda/bin
  DOC "nvcc of CUDA 12.8 or newer")
if(NOT FORGE_NVCC AND NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "FORGE_CUDA=ON needs nvcc, and there is none in PATH or /usr/local/cuda/bin. "
    "Install CUDA 13 (NVIDIA's packages cuda-nvcc-13-0 and cuda-cudart-dev-13-0 are enough), or give "
    "-DFORGE_NVCC=PATH, or use the preset \"release\" (CPU).")
endif()
if(NOT CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${FORGE_NVCC})
endif()

set(chosen ${FORGE_CUDA_ARCHITECTURES})
if(chosen STREQUAL "native")
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
    OUTPUT_VARIABLE chosen RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed OR NOT chosen MATCHES "^[0-9.\n]+$")
    message(FATAL_ERROR "FORGE_CUDA_ARCHITECTURES=native: nvidia-smi names no device here.")
  endif()
  string(REPLACE "." "" chosen "${chosen}")
  string(REPLACE "\n" ";" chosen "${chosen}")
  list(REMOVE_DUPLICATES chosen)
endif()

# Machine code for each, and PTX of the newest, which drivers compile for devices to come.
list(SORT chosen COMPARE NATURAL)
set(CMAKE_CUDA_ARCHITECTURES "")
foreach(architecture ${chosen})
  string(REGEX REPLACE "[af]$" "" number "${architecture}")
  if(NOT number MATCHES "^[0-9]+$" OR number LESS 80)
    message(FATAL_ERROR "FORGE_CUDA_ARCHITECTURES: \"${architecture}\"; expected numbers like 90, from 80 "
      "(bf16 in the matrix units), or native.")
  endif()
  set(FORGE_CUDA_PTX ${number})
  # Every Hopper is 9.0, and "a" gives it all of its instructions.
  string(REGEX REPLACE "^90$" "90a" architecture ${architecture})
  list(APPEND CMAKE_CUDA_ARCHITECTURES ${architecture}-real)
endforeach()
list(APPEND CMAKE_CUDA_ARCHITECTURES ${FORGE_CUDA_PTX}-virtual)

set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
# CMake 3.25 does not know that nvcc has C++20.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.8)
  message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} is of CUDA ${CMAKE_CUDA_COMPILER_VERSION}; Forge needs 12.8 "
    "or newer (compute capability 12.0).")
endif()
find_package(CUDAToolkit REQUIRED)

# forge_cuda_flags: what kernels are compiled with.
#   -fmad=false  as -ffp-contract=off: a fused multiply-add is where the source says fused().
#   FMT_USE_CONSTEXPR: {fmt} 9 leaves half of its constexpr away for nvcc, which then refuses the rest.
#   -lineinfo    profilers and compute-sanitizer name lines; costs nothing at run time.
add_library(forge_cuda_flags INTERFACE)
target_compile_options(forge_cuda_flags INTERFACE
  "$<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr;-fmad=false;-lineinfo;-Xfatbin=-compress-all;-Xcompiler=-Wall,-Wextra,-ffp-contract=off>")
target_compile_definitions(forge_cuda_flags INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:FMT_USE_CONSTEXPR=1>")
if(FORGE_WERROR)
  target_compile_options(forge_cuda_flags INTERFACE
    "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xcompiler=-Werror>")
endif()
