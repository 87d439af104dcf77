#include "tests/simt/fiber_stacks.h"

#include "tests/sanitizers.h"

#if defined(FORGE_HAS_ASAN)
#include <sanitizer/asan_interface.h>
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
    stacks.frames_.push_back(nullptr);
  }
  all = &stacks;
  return stacks;
}

boost::context::stack_context FiberStacks::stack(int i) const {
  boost::context::stack_context context;
#if defined(FORGE_HAS_ASAN)
  // The fiber that had it never returned from its first frames, whose bounds are still marked.
  ASAN_UNPOISON_MEMORY_REGION(stacks_[static_cast<size_t>(i)].get(), kStackBytes);
#endif
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
void FiberStacks::arrived(int i) {
  __sanitizer_finish_switch_fiber(all->frames_[static_cast<size_t>(i)], &scheduler_bottom,
                                  &scheduler_size);
}
void FiberStacks::leave(int i) {
  __sanitizer_start_switch_fiber(&all->frames_[static_cast<size_t>(i)], scheduler_bottom,
                                 scheduler_size);
}
#else
void FiberStacks::enter(int) {}
void FiberStacks::returned() {}
void FiberStacks::arrived(int) {}
void FiberStacks::leave(int) {}
#endif

}  // namespace forge::simt
