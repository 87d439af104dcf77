// The words that kernel sources are written in. nvcc reads them as CUDA C++; without it
// (FORGE_SIMT, which tests/simt defines) they run on the CPU, a fiber per thread. Device code uses
// nothing of CUDA's but what this folder offers, so that both builds share every line of it.
//
// Reference: CUDA C++ Programming Guide; PTX ISA.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(FORGE_SIMT)
#define FORGE_DEVICE inline
#define FORGE_KERNEL(max_threads, min_blocks) void
#define FORGE_UNROLL
#else
#define FORGE_DEVICE __device__ __forceinline__
#define FORGE_KERNEL(max_threads, min_blocks) \
  __global__ void __launch_bounds__(max_threads, min_blocks)
#define FORGE_UNROLL _Pragma("unroll")
#endif

namespace forge::kernels::cuda {

inline constexpr int kWarpLanes = 32;
/// The mask of the _sync intrinsics: every collective is one of whole warps.
inline constexpr uint32_t kAllLanes = 0xFFFFFFFFu;

#if defined(FORGE_SIMT)

FORGE_DEVICE int thread_index() { return static_cast<int>(simt::thread_idx().x); }
FORGE_DEVICE int block_x() { return static_cast<int>(simt::block_idx().x); }
FORGE_DEVICE int block_y() { return static_cast<int>(simt::block_idx().y); }
FORGE_DEVICE int block_z() { return static_cast<int>(simt::block_idx().z); }
FORGE_DEVICE int n_threads() { return static_cast<int>(simt::block_dim().x); }
FORGE_DEVICE int grid_x() { return static_cast<int>(simt::grid_dim().x); }
FORGE_DEVICE int grid_y() { return static_cast<int>(simt::grid_dim().y); }
FORGE_DEVICE int grid_z() { return static_cast<int>(simt::grid_dim().z); }
/// The block's dynamic shared memory, 128-byte aligned; how much there is, the launch says.
FORGE_DEVICE std::byte* shared_memory() { return simt::shared().data(); }
/// All threads of the block meet; what they wrote to memory before is seen by all after.
FORGE_DEVICE void sync_block(simt::Where where = simt::Where::current()) { simt::barrier(where); }

#else

FORGE_DEVICE int thread_index() { return static_cast<int>(threadIdx.x); }
FORGE_DEVICE int block_x() { return static_cast<int>(blockIdx.x); }
FORGE_DEVICE int block_y() { return static_cast<int>(blockIdx.y); }
FORGE_DEVICE int block_z() { return static_cast<int>(blockIdx.z); }
FORGE_DEVICE int n_threads() { return static_cast<int>(blockDim.x); }
FORGE_DEVICE int grid_x() { return static_cast<int>(gridDim.x); }
FORGE_DEVICE int grid_y() { return static_cast<int>(gridDim.y); }
FORGE_DEVICE int grid_z() { return static_cast<int>(gridDim.z); }
FORGE_DEVICE std::byte* shared_memory() {
  extern __shared__ __align__(128) unsigned char forge_shared_memory[];
  return reinterpret_cast<std::byte*>(forge_shared_memory);
}
FORGE_DEVICE void sync_block() { __syncthreads(); }

#endif

FORGE_DEVICE int lane_index() { return thread_index() % kWarpLanes; }
FORGE_DEVICE int warp_index() { return thread_index() / kWarpLanes; }

}  // namespace forge::kernels::cuda
