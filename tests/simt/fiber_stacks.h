// Stacks of the fibers of a block, and what AddressSanitizer must know of them.
#pragma once

#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <memory>
#include <vector>

namespace forge::simt {

/// Made once per OS thread and used again by every block: a kernel's frames are small. enter() and
/// returned() go around a switch from the scheduler to fiber i; arrived() is the first word of a
/// fiber that was switched to, leave() its last before it switches back, for good too.
class FiberStacks {
 public:
  /// Of this OS thread, at least n of them.
  static FiberStacks& of_this_thread(int n);

  [[nodiscard]] boost::context::stack_context stack(int i) const;

  static void enter(int i);
  static void returned();
  static void arrived(int i);
  static void leave(int i);

  /// Leaves the stacks alone: they are used again.
  struct Allocator {
    void deallocate(boost::context::stack_context&) noexcept {}
  };

 private:
  std::vector<std::unique_ptr<std::byte[]>> stacks_;
  /// Where AddressSanitizer keeps a fiber's frames (detect_stack_use_after_return). Used again as
  /// the stacks are: to make them anew for every thread of every block took all the time there is.
  std::vector<void*> frames_;
};

}  // namespace forge::simt
