// Fibers are Boost.Context's; no reference beyond the programming guide: this is the tests' own
// tool.
#include "tests/simt/simt.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/preallocated.hpp>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "tests/simt/fiber_stacks.h"

namespace forge::simt {
namespace {

constexpr int kWarpLanes = 32;

struct Copy {
  void* to;
  const void* from;
  size_t bytes;
};

struct Thread {
  enum class State { kRunnable, kAtBarrier, kInCollective, kEnded };

  Dim3 index;
  int number = 0;  // x fastest
  State state = State::kRunnable;
  Where where = {};                      // of what it waits for
  const char* op = "";                   // likewise
  std::vector<Copy> open_copies;         // not committed
  std::deque<std::vector<Copy>> groups;  // committed, oldest first
  boost::context::fiber fiber;
};

/// One collective at a time; results stay readable while the next one gathers.
struct Warp {
  int n_arrived = 0;
  const char* op = "";
  uint64_t n_done = 0;
  alignas(16) std::byte slots[2][kWarpLanes * kSlotBytes];
};

struct Block {
  const Launch* launch = nullptr;
  Dim3 index;
  std::vector<std::byte> shared;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  int n_at_barrier = 0;
  int n_live = 0;
  std::exception_ptr error;
};

thread_local Settings settings_of_thread = settings_of_environment();
thread_local Block* current_block = nullptr;
thread_local Thread* current_thread = nullptr;
thread_local boost::context::fiber scheduler;

Warp& warp_of(const Thread& thread) {
  return current_block->warps[static_cast<size_t>(thread.number / kWarpLanes)];
}

/// Gives the processor back until the scheduler finds the thread runnable.
void suspend() {
  const int number = current_thread->number;
  FiberStacks::leave(number);
  scheduler = std::move(scheduler).resume();
  FiberStacks::arrived(number);
}

std::string describe(const Thread& thread) {
  return fmt::format("thread ({}, {}, {}) in {} at {}:{}", thread.index.x, thread.index.y,
                     thread.index.z, thread.op, thread.where.file_name(), thread.where.line());
}

[[noreturn]] void fail(const std::string& what) {
  const Block& block = *current_block;
  throw Fault(fmt::format("{}, block ({}, {}, {}): {}", block.launch->name, block.index.x,
                          block.index.y, block.index.z, what));
}

void perform(std::vector<Copy>& copies) {
  for (const Copy& copy : copies) std::memcpy(copy.to, copy.from, copy.bytes);
  copies.clear();
}

/// Lets threads wait no longer where all have come.
void release_barrier(Block& block) {
  if (block.n_at_barrier == 0 || block.n_at_barrier < block.n_live) return;
  block.n_at_barrier = 0;
  for (Thread& thread : block.threads) {
    if (thread.state == Thread::State::kAtBarrier) thread.state = Thread::State::kRunnable;
  }
}

void end_thread(Block& block, Thread& thread) {
  thread.state = Thread::State::kEnded;
  --block.n_live;
  const bool has_copies =
      !thread.open_copies.empty() ||
      std::any_of(thread.groups.begin(), thread.groups.end(), [](auto& g) { return !g.empty(); });
  if (has_copies && !block.error) {
    fail(fmt::format("thread ({}, {}, {}) ended with asynchronous copies under way", thread.index.x,
                     thread.index.y, thread.index.z));
  }
  release_barrier(block);
}

/// Who waits for what, a few of them.
std::string who_waits(const Block& block) {
  std::string text;
  int n = 0;
  for (const Thread& thread : block.threads) {
    if (thread.state == Thread::State::kEnded || ++n > 4) continue;
    text += (text.empty() ? "" : "; ") + describe(thread);
  }
  return n > 4 ? fmt::format("{}; and {} more", text, n - 4) : text;
}

void resume(Block& block, Thread& thread) {
  current_thread = &thread;
  FiberStacks::enter(thread.number);
  thread.fiber = std::move(thread.fiber).resume();
  FiberStacks::returned();
  current_thread = nullptr;
  if (block.error) std::rethrow_exception(block.error);
  if (!thread.fiber) end_thread(block, thread);
}

void make_fiber(Block& block, Thread& thread, FiberStacks& stacks,
                const std::function<void()>& body) {
  const boost::context::stack_context stack = stacks.stack(thread.number);
  thread.fiber = boost::context::fiber(
      std::allocator_arg, boost::context::preallocated(stack.sp, stack.size, stack),
      FiberStacks::Allocator(),
      [&block, &body, number = thread.number](boost::context::fiber&& caller) {
        FiberStacks::arrived(number);
        scheduler = std::move(caller);
        try {
          body();
        } catch (const boost::context::detail::forced_unwind&) {
          throw;
        } catch (...) {
          block.error = std::current_exception();
        }
        FiberStacks::leave(number);
        return std::move(scheduler);
      });
}

void put_in_order(std::vector<int>& numbers, std::mt19937_64& random) {
  std::iota(numbers.begin(), numbers.end(), 0);
  const Order order = settings_of_thread.order;
  if (order == Order::kReverse || order == Order::kWarpByWarpReverse) {
    std::reverse(numbers.begin(), numbers.end());
  }
  if (order == Order::kRandom) {
    std::shuffle(numbers.begin(), numbers.end(), random);
  }
}

/// Resumes those that can run, once each. Whether there was one.
bool run_some(Block& block, std::span<const int> numbers) {
  bool has_run = false;
  for (const int i : numbers) {
    Thread& thread = block.threads[static_cast<size_t>(i)];
    if (thread.state != Thread::State::kRunnable) continue;
    has_run = true;
    resume(block, thread);
  }
  return has_run;
}

/// Each warp in turn until none of its lanes can run.
bool run_warps(Block& block, std::span<const int> numbers) {
  bool has_run = false;
  for (size_t first = 0; first < numbers.size(); first += kWarpLanes) {
    while (run_some(block, numbers.subspan(first, kWarpLanes))) has_run = true;
  }
  return has_run;
}

bool is_warp_by_warp() {
  const Order order = settings_of_thread.order;
  return order == Order::kWarpByWarp || order == Order::kWarpByWarpReverse;
}

void run_block(Block& block, FiberStacks& stacks, const std::function<void()>& body,
               std::mt19937_64& random) {
  const Dim3 dim = block.launch->block;
  const auto n_threads = static_cast<int>(dim.x * dim.y * dim.z);
  block.shared.assign(block.launch->shared_bytes, std::byte{0xFF});
  block.threads = std::vector<Thread>(static_cast<size_t>(n_threads));
  block.warps = std::vector<Warp>(static_cast<size_t>(n_threads / kWarpLanes));
  block.n_live = n_threads;
  for (int i = 0; i < n_threads; ++i) {
    Thread& thread = block.threads[static_cast<size_t>(i)];
    const auto n = static_cast<uint32_t>(i);
    thread.number = i;
    thread.index = {n % dim.x, n / dim.x % dim.y, n / dim.x / dim.y};
    make_fiber(block, thread, stacks, body);
  }
  current_block = &block;
  std::vector<int> numbers(static_cast<size_t>(n_threads));
  while (block.n_live > 0) {
    put_in_order(numbers, random);
    const bool has_run = is_warp_by_warp() ? run_warps(block, numbers) : run_some(block, numbers);
    if (!has_run) fail("nobody can go on: " + who_waits(block));
  }
}

}  // namespace

void set(const Settings& settings) { settings_of_thread = settings; }

Settings settings_of_environment() {
  const char* const value = std::getenv("FORGE_SIMT_ORDER");
  const std::string text = value == nullptr ? "forward" : value;
  if (text == "forward") return {.order = Order::kForward};
  if (text == "reverse") return {.order = Order::kReverse};
  if (text == "random") return {.order = Order::kRandom};
  if (text == "warps") return {.order = Order::kWarpByWarp};
  if (text == "warps-reverse") return {.order = Order::kWarpByWarpReverse};
  const std::string random = "random:";
  uint64_t seed = 0;
  if (text.starts_with(random)) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + random.size(), end, seed);
    if (read.ec == std::errc() && read.ptr == end) return {.order = Order::kRandom, .seed = seed};
  }
  throw Fault("FORGE_SIMT_ORDER is \"" + text +
              "\": expected forward, reverse, random[:SEED], warps, warps-reverse");
}

void run(const Launch& launch, const std::function<void()>& body) {
  if (current_block != nullptr) throw Fault("a launch inside a kernel");
  const uint32_t n_threads = launch.block.x * launch.block.y * launch.block.z;
  if (n_threads == 0 || n_threads > 1024 || n_threads % kWarpLanes != 0) {
    throw Fault(fmt::format("{}: a block of {} threads", launch.name, n_threads));
  }
  const uint32_t n_blocks = launch.grid.x * launch.grid.y * launch.grid.z;
  if (n_blocks == 0) throw Fault(launch.name + ": an empty grid");
  FiberStacks& stacks = FiberStacks::of_this_thread(static_cast<int>(n_threads));
  std::mt19937_64 random(settings_of_thread.seed);
  std::vector<int> numbers(n_blocks);
  put_in_order(numbers, random);
  struct Reset {
    ~Reset() { current_block = nullptr; }
  } reset;
  for (const int i : numbers) {
    const auto n = static_cast<uint32_t>(i);
    Block block;
    block.launch = &launch;
    block.index = {n % launch.grid.x, n / launch.grid.x % launch.grid.y,
                   n / launch.grid.x / launch.grid.y};
    run_block(block, stacks, body, random);
  }
}

Dim3 thread_idx() { return current_thread->index; }
Dim3 block_idx() { return current_block->index; }
Dim3 block_dim() { return current_block->launch->block; }
Dim3 grid_dim() { return current_block->launch->grid; }
int lane() { return current_thread->number % kWarpLanes; }
std::span<std::byte> shared() { return current_block->shared; }

void barrier(Where where) {
  Thread& thread = *current_thread;
  thread.state = Thread::State::kAtBarrier;
  thread.where = where;
  thread.op = "__syncthreads";
  ++current_block->n_at_barrier;
  release_barrier(*current_block);
  if (thread.state == Thread::State::kAtBarrier) suspend();
}

Slots meet(const char* op, std::span<const std::byte> bytes, Where where,
           void (*combine)(const Slots&)) {
  Thread& thread = *current_thread;
  Warp& warp = warp_of(thread);
  thread.where = where;
  thread.op = op;
  if (warp.n_arrived == 0) warp.op = op;
  if (std::strcmp(warp.op, op) != 0) {
    fail(fmt::format("{} while other lanes of its warp are in {}", describe(thread), warp.op));
  }
  const Slots slots{warp.slots[warp.n_done % 2]};
  std::memcpy(slots.bytes + static_cast<size_t>(lane()) * kSlotBytes, bytes.data(), bytes.size());
  if (++warp.n_arrived < kWarpLanes) {
    thread.state = Thread::State::kInCollective;
    suspend();
    return slots;
  }
  if (combine != nullptr) combine(slots);
  warp.n_arrived = 0;
  ++warp.n_done;
  const int first = thread.number / kWarpLanes * kWarpLanes;
  for (int i = first; i < first + kWarpLanes; ++i) {
    current_block->threads[static_cast<size_t>(i)].state = Thread::State::kRunnable;
  }
  return slots;
}

void copy_async(void* to, const void* from, size_t bytes) {
  current_thread->open_copies.push_back({to, from, bytes});
}

void commit_copies() {
  current_thread->groups.push_back(std::move(current_thread->open_copies));
  current_thread->open_copies.clear();
}

void wait_copies(int n_open) {
  auto& groups = current_thread->groups;
  while (groups.size() > static_cast<size_t>(n_open)) {
    perform(groups.front());
    groups.pop_front();
  }
}

}  // namespace forge::simt
