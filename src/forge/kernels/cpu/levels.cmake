# Compiles kernels/cpu/level/*.cpp once per ISA level of the target machine, each in a namespace of its
# own with explicit feature flags, and adds the objects to forge_kernels. The levels of a build:
set(FORGE_LEVELS scalar)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND FORGE_LEVELS avx2 avxvnni avx512 avx512bf16 amx)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  list(APPEND FORGE_LEVELS neon dotprod i8mm)
endif()
if(FORGE_SCALAR)
  set(FORGE_LEVELS scalar)
endif()
set(optimise -O3)
if(FORGE_SANITIZE)
  # Instrumented templates take minutes to compile: one level per width of vector, lightly optimised.
  list(REMOVE_ITEM FORGE_LEVELS avxvnni avx512 amx)
  set(optimise -O1)
endif()

set(enumerator_scalar kScalar)
set(flags_scalar -O2)
if(FORGE_SANITIZE)
  # Arrays of lanes, inlined everywhere, are the slowest of all.
  set(flags_scalar -O1 -DFORGE_INLINE=inline)
endif()

set(avx2 -DFORGE_SIMD_AVX2 -mavx2 -mfma -mf16c)
set(enumerator_avx2 kAvx2)
set(flags_avx2 ${optimise} ${avx2})
set(enumerator_avxvnni kAvxVnni)
set(flags_avxvnni ${optimise} ${avx2} -mavxvnni)

# -mprefer-vector-width: plain loops in level code as 512-bit too, not only the wrapper's.
set(avx512 -DFORGE_SIMD_AVX512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni
  -mprefer-vector-width=512)
set(enumerator_avx512 kAvx512)
set(flags_avx512 ${optimise} ${avx512})
set(enumerator_avx512bf16 kAvx512Bf16)
set(flags_avx512bf16 ${optimise} ${avx512} -mavx512bf16)

set(enumerator_amx kAmx)
set(flags_amx ${flags_avx512bf16} -DFORGE_SIMD_AMX -mamx-tile -mamx-int8)

set(enumerator_neon kNeon)
set(flags_neon ${optimise} -DFORGE_SIMD_NEON -march=armv8-a)
set(enumerator_dotprod kDotprod)
set(flags_dotprod ${optimise} -DFORGE_SIMD_NEON -march=armv8.2-a+dotprod)
set(enumerator_i8mm kI8mm)
set(flags_i8mm ${optimise} -DFORGE_SIMD_NEON -march=armv8.2-a+dotprod+i8mm+bf16)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 takes AVX-512 intrinsics' undefined operands for mistakes (GCC bug 105593).
  foreach(level avx512 avx512bf16 amx)
    list(APPEND flags_${level} -Wno-uninitialized -Wno-maybe-uninitialized)
  endforeach()
endif()

file(GLOB level_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/level/*.cpp)
set(level_list "")
foreach(level ${FORGE_LEVELS})
  string(APPEND level_list " X(${enumerator_${level}}, ${level})")
  add_library(forge_level_${level} OBJECT ${level_sources})
  target_link_libraries(forge_level_${level} PRIVATE forge_flags)
  target_compile_definitions(forge_level_${level} PRIVATE FORGE_LEVEL=${level})
  # In a Debug build level code is optimised too: unrolled templates are useless without.
  target_compile_options(forge_level_${level} PRIVATE ${flags_${level}})
  target_sources(forge_kernels PRIVATE $<TARGET_OBJECTS:forge_level_${level}>)
endforeach()

# For tests/CMakeLists.txt: the code of two levels with what hardly any machine has replaced. The tiles
# of AMX become plain C++; the dot of AVX-VNNI becomes the same one of AVX-512.
if(amx IN_LIST FORGE_LEVELS)
  set(FORGE_EMULATED_AMX_FLAGS ${flags_avx512bf16} -DFORGE_SIMD_AMX -DFORGE_AMX_EMULATED
    -DFORGE_LEVEL=amx_emulated PARENT_SCOPE)
  set(FORGE_EVEX_VNNI_FLAGS ${flags_avx2} -mavx512vnni -mavx512vl -DFORGE_EVEX_VNNI
    -DFORGE_LEVEL=avxvnni_evex PARENT_SCOPE)
endif()

file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/forge/kernels/cpu/built_levels.inc
  CONTENT "#define FORGE_FOR_EACH_LEVEL(X)${level_list}\n")
target_include_directories(forge_kernels PRIVATE ${PROJECT_BINARY_DIR}/generated)
