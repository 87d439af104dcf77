// What every op needs besides its operands.
#pragma once

#include "forge/base/thread_pool.h"

namespace forge::kernels {

/// Threads to split an op over. How the work is split never changes a result's bits.
struct Context {
  ThreadPool* pool = nullptr;
};

}  // namespace forge::kernels
