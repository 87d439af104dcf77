# Compiles tensor/level/*.cpp once per width of vector, each in a namespace of its own with explicit feature
# flags, and adds the objects to forge_tensor. All levels give the same bits: -ffp-contract=off, and a lane is
# what a scalar would be.
set(FORGE_TENSOR_LEVELS base)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT FORGE_SCALAR)
  list(APPEND FORGE_TENSOR_LEVELS avx2 avx512)
endif()
set(tensor_flags_base "")
set(tensor_flags_avx2 -mavx2)
set(tensor_flags_avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mprefer-vector-width=512)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 takes AVX-512 intrinsics' undefined operands for mistakes (GCC bug 105593).
  list(APPEND tensor_flags_avx512 -Wno-uninitialized -Wno-maybe-uninitialized)
endif()

set(optimisation -O3)
if(FORGE_SANITIZE)
  set(optimisation -O1)
endif()

file(GLOB tensor_level_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/level/*.cpp)
foreach(level ${FORGE_TENSOR_LEVELS})
  add_library(forge_tensor_${level} OBJECT ${tensor_level_sources})
  target_link_libraries(forge_tensor_${level} PRIVATE forge_flags)
  target_compile_definitions(forge_tensor_${level} PRIVATE FORGE_TENSOR_LEVEL=encode_${level})
  # In a Debug build too: unrolled templates are useless without.
  target_compile_options(forge_tensor_${level} PRIVATE ${optimisation} ${tensor_flags_${level}})
  target_sources(forge_tensor PRIVATE $<TARGET_OBJECTS:forge_tensor_${level}>)
endforeach()
if(avx512 IN_LIST FORGE_TENSOR_LEVELS)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/forge/tensor/encode_levels.cpp
    PROPERTIES COMPILE_DEFINITIONS FORGE_TENSOR_X86_LEVELS)
endif()
