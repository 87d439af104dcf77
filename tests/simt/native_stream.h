// What a cudaStream_t of the fake CUDA runtime points to: a way to queue work, for stand-ins of
// libraries that do.
#pragma once

#include <functional>

namespace forge::fake_cuda {

struct NativeStream {
  /// Queues (or records) work, which is left out where the device is lost by then; false: it is
  /// lost already.
  std::function<bool(const std::function<void()>& work)> add;
};

}  // namespace forge::fake_cuda
