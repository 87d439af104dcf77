#include "tests/simt/fiber_stacks.h"

#include "tests/sanitizers.h"

#if defined(FORGE_HAS_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

namespace forge::simt {
namespace {

// Kernels keep their arrays in registers, which are a frame's locals here; under ASan frames grow.
constexpr size_t kStackBytes = kIsSanitized ? 256 << 10 : 64 << 10;

thread_local FiberStacks* all = nullptr;
#if defined(FORGE_HAS_ASAN)
thread_local void* scheduler_frames = nullptr;
thread_local const void* scheduler_bottom = nullptr;
thread_local size_t scheduler_size = 0;
#endif

}  // namespace

FiberStacks& FiberStacks::of_this_thread(int n) {
  thread_local FiberStacks stacks;
  while (stacks.stacks_.size() < static_cast<size_t>(n)) {
    stacks.stacks_.push_back(std::make_unique<std::byte[]>(kStackBytes));
  }
  all = &stacks;
  return stacks;
}

boost::context::stack_context FiberStacks::stack(int i) const {
  boost::context::stack_context context;
  context.size = kStackBytes;
  context.sp = stacks_[static_cast<size_t>(i)].get() + kStackBytes;  // it grows downwards
  return context;
}

#if defined(FORGE_HAS_ASAN)
void FiberStacks::enter(int i) {
  __sanitizer_start_switch_fiber(&scheduler_frames, all->stacks_[static_cast<size_t>(i)].get(),
                                 kStackBytes);
}
void FiberStacks::returned() {
  __sanitizer_finish_switch_fiber(scheduler_frames, nullptr, nullptr);
}
void FiberStacks::arrived() {
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_bottom, &scheduler_size);
}
void FiberStacks::leave() {
  void* unused = nullptr;
  __sanitizer_start_switch_fiber(&unused, scheduler_bottom, scheduler_size);
}
void FiberStacks::leave_for_good() {
  __sanitizer_start_switch_fiber(nullptr, scheduler_bottom, scheduler_size);
}
#else
void FiberStacks::enter(int) {}
void FiberStacks::returned() {}
void FiberStacks::arrived() {}
void FiberStacks::leave() {}
void FiberStacks::leave_for_good() {}
#endif

}  // namespace forge::simt
