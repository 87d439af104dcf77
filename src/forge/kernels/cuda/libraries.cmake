# The libraries for NVIDIA devices. Three answer for the same headers (kernels/cuda/runtime/*.h,
# models/cuda/*.h), and a program links one of them:
#   forge_cuda_none          builds without CUDA: there is no device, and why
#   forge_cuda_runtime       FORGE_CUDA=ON: the CUDA runtime, and the kernels compiled by nvcc
#   forge_cuda_fake_runtime  targets with the property FORGE_FAKE_CUDA: tests/simt, on the CPU
# Beside the last two stands forge_cuda_decoder, their one user.
set(cuda_dir ${PROJECT_SOURCE_DIR}/src/forge/kernels/cuda)
set(decoder_dir ${PROJECT_SOURCE_DIR}/src/forge/models/cuda)

file(GLOB_RECURSE host_sources CONFIGURE_DEPENDS ${cuda_dir}/*.cpp)
list(FILTER host_sources EXCLUDE REGEX "/runtime/cudart/")
add_library(forge_cuda_host STATIC ${host_sources})
target_link_libraries(forge_cuda_host PUBLIC forge_flags forge_tensor forge_base)

file(GLOB none_sources CONFIGURE_DEPENDS ${decoder_dir}/none/*.cpp)
add_library(forge_cuda_none STATIC ${none_sources})
target_link_libraries(forge_cuda_none PUBLIC forge_cuda_host)

set(decoder "")
file(GLOB_RECURSE decoder_sources CONFIGURE_DEPENDS ${decoder_dir}/*.cpp)
list(FILTER decoder_sources EXCLUDE REGEX "/cuda/none/")
if(decoder_sources)
  set(decoder forge_cuda_decoder)
  add_library(forge_cuda_decoder STATIC ${decoder_sources})
  # It is a part of models, which makes it and which it uses.
  target_link_libraries(forge_cuda_decoder PUBLIC forge_cuda_host forge_models)
endif()

set(device_libraries forge_cuda_none)
if(FORGE_CUDA)
  file(GLOB runtime_sources CONFIGURE_DEPENDS ${cuda_dir}/runtime/cudart/*.cpp)
  file(GLOB_RECURSE kernel_sources CONFIGURE_DEPENDS ${cuda_dir}/*.cu)
  add_library(forge_cuda_runtime STATIC ${runtime_sources} ${kernel_sources})
  target_compile_definitions(forge_cuda_runtime PRIVATE FORGE_CUDA_PTX=${FORGE_CUDA_PTX})
  target_link_libraries(forge_cuda_runtime PUBLIC forge_flags forge_cuda_host CUDA::cudart_static
    PRIVATE forge_cuda_flags)
  # Its headers are not held against our warnings.
  target_include_directories(forge_cuda_runtime SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  set(device_libraries ${decoder} forge_cuda_runtime)
endif()

set(is_fake "$<BOOL:$<TARGET_PROPERTY:FORGE_FAKE_CUDA>>")
foreach(library ${device_libraries})
  target_link_libraries(forge_models PUBLIC "$<$<NOT:${is_fake}>:${library}>")
endforeach()
foreach(library ${decoder} forge_cuda_fake_runtime)
  target_link_libraries(forge_models PUBLIC "$<${is_fake}:${library}>")
endforeach()
