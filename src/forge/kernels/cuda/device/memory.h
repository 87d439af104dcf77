// Loads, asynchronous copies and counters, with the caching that each use wants.
//
// Reference: PTX ISA, "Data Movement and Conversion Instructions", "Parallel Synchronization and
// Communication Instructions".
#pragma once

#include "forge/kernels/cuda/device/platform.h"

namespace forge::kernels::cuda {

/// 16 bytes as four registers.
struct alignas(16) Words4 {
  uint32_t w[4];
};
struct alignas(8) Words2 {
  uint32_t w[2];
};

#if defined(FORGE_SIMT)

template <typename T>
FORGE_DEVICE T load_as(const void* from) {
  T value;
  __builtin_memcpy(&value, __builtin_assume_aligned(from, alignof(T)), sizeof(T));
  return value;
}
FORGE_DEVICE Words4 load_weights16(const void* from) { return load_as<Words4>(from); }
FORGE_DEVICE Words2 load_weights8(const void* from) { return load_as<Words2>(from); }
FORGE_DEVICE uint32_t load_weights4(const void* from) { return load_as<uint32_t>(from); }
FORGE_DEVICE void copy_async16(void* to_shared, const void* from, bool is_there) {
  static const std::byte zeros[16] = {};
  simt::copy_async(to_shared, is_there ? from : zeros, 16);
}
FORGE_DEVICE void commit_copies() { simt::commit_copies(); }
template <int NOpen>
FORGE_DEVICE void wait_copies() {
  simt::wait_copies(NOpen);
}
FORGE_DEVICE int count_up(int* counter) { return (*counter)++; }
FORGE_DEVICE void wait_for_predecessor() {}
FORGE_DEVICE void let_successor_start() {}

#else

/// Bytes that this step reads once: past L1, first out of L2. Only for memory that no kernel of the
/// step writes (the read-only path).
FORGE_DEVICE Words4 load_weights16(const void* from) {
  Words4 v;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.w[0]), "=r"(v.w[1]), "=r"(v.w[2]), "=r"(v.w[3])
               : "l"(from));
  return v;
}
FORGE_DEVICE Words2 load_weights8(const void* from) {
  Words2 v;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v2.u32 {%0, %1}, [%2];"
               : "=r"(v.w[0]), "=r"(v.w[1])
               : "l"(from));
  return v;
}
FORGE_DEVICE uint32_t load_weights4(const void* from) {
  uint32_t v;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.u32 %0, [%1];" : "=r"(v) : "l"(from));
  return v;
}
/// Any memory, any type of 4, 8 or 16 bytes.
template <typename T>
FORGE_DEVICE T load_as(const void* from) {
  return *static_cast<const T*>(from);
}
/// Starts a copy of 16 bytes from global to shared memory; zeros where there is nothing to copy
/// (`from` must be an address all the same).
FORGE_DEVICE void copy_async16(void* to_shared, const void* from, bool is_there) {
  const auto to = static_cast<uint32_t>(__cvta_generic_to_shared(to_shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
               "r"(is_there ? 16 : 0)
               : "memory");
}
/// Closes the group of this thread's copies since the last one.
FORGE_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most NOpen of this thread's groups are under way. Others' copies: sync_block()
/// after.
template <int NOpen>
FORGE_DEVICE void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(NOpen) : "memory");
}
/// Adds one to a counter in global memory and returns what it was. What this thread wrote before is
/// seen by who finds the counter higher, and it sees what those before it wrote.
FORGE_DEVICE int count_up(int* counter) {
  int before;
  asm volatile("atom.acq_rel.gpu.global.add.s32 %0, [%1], 1;"
               : "=r"(before)
               : "l"(counter)
               : "memory");
  return before;
}
/// Programmatic dependent launch: returns when the kernels before this one in the stream have ended
/// and their writes can be seen. What comes before it in the source may only read weights.
FORGE_DEVICE void wait_for_predecessor() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// Lets the next kernel's blocks start as soon as all of this one's have come here (or ended).
FORGE_DEVICE void let_successor_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

#endif

}  // namespace forge::kernels::cuda
