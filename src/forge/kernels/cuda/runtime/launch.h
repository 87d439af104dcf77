// Starting a kernel. For the .cu files that hold kernels: nvcc compiles them for devices, a C++
// compiler with FORGE_SIMT for the CPU.
//
//   launch(stream, {"matmul_few", grid, n_threads, shared_bytes}, matmul_few<Bf16, PlainRows, 1,
//   1>, task);
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

struct Grid {
  int32_t x = 1;
  int32_t y = 1;
  int32_t z = 1;
};

struct LaunchShape {
  const char* name = "";  // of the kernel, for errors and profilers
  Grid grid;
  int32_t n_threads = 0;  // a block's
  size_t shared_bytes = 0;
  /// The kernel waits for its predecessor itself (wait_for_predecessor()), so that it may start
  /// while that one ends: programmatic dependent launch, where the device has it.
  bool overlaps = true;
};

#if defined(FORGE_SIMT)

/// Queues a kernel as a body that every thread of the grid runs.
[[nodiscard]] Status launch_body(Stream& stream, const LaunchShape& shape,
                                 std::function<void()> body);

template <typename... Parameters>
[[nodiscard]] Status launch(Stream& stream, const LaunchShape& shape, void (*kernel)(Parameters...),
                            const std::type_identity_t<Parameters>&... arguments) {
  return launch_body(stream, shape, [kernel, arguments...] { kernel(arguments...); });
}

#else

/// arguments: addresses of the parameters' values.
[[nodiscard]] Status launch_kernel(Stream& stream, const LaunchShape& shape, const void* kernel,
                                   void** arguments);

template <typename... Parameters>
[[nodiscard]] Status launch(Stream& stream, const LaunchShape& shape, void (*kernel)(Parameters...),
                            const std::type_identity_t<Parameters>&... arguments) {
  void* addresses[] = {const_cast<void*>(static_cast<const void*>(&arguments))...};
  return launch_kernel(stream, shape, reinterpret_cast<const void*>(kernel), addresses);
}

#endif

}  // namespace forge::kernels::cuda
