// Every order in which the emulation can run the threads of a kernel; once on a real device.
#pragma once

#include <gtest/gtest.h>

#if !defined(FORGE_REAL_DEVICE)
#include "tests/simt/simt.h"
#endif

namespace forge::kernels::cuda {

template <typename F>
void in_every_order(const F& test) {
#if defined(FORGE_REAL_DEVICE)
  test();
#else
  using simt::Order;
  const char* const names[] = {"forward", "reverse", "random", "warp by warp",
                               "warp by warp, reverse"};
  for (const Order order : {Order::kForward, Order::kReverse, Order::kRandom, Order::kWarpByWarp,
                            Order::kWarpByWarpReverse}) {
    SCOPED_TRACE(names[static_cast<int>(order)]);
    simt::set({.order = order, .seed = 11});
    test();
  }
  simt::set(simt::settings_of_environment());
#endif
}

}  // namespace forge::kernels::cuda
