// CUDA's execution model on the CPU: the language that kernel sources are written in when no nvcc
// compiles them. One fiber per thread, blocks one after another, warp collectives and barriers as
// meetings of fibers. Forced into kernel sources with -include; see docs/gpu-testing.md for what it
// can find and what it cannot.
//
// Reference: CUDA C++ Programming Guide, "Programming Model" and "C++ Language Extensions".
#pragma once

#include <cstddef>
#include <cstdint>
#include <experimental/source_location>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>

namespace forge::simt {

struct Dim3 {
  uint32_t x = 1;
  uint32_t y = 1;
  uint32_t z = 1;
};

/// In which order the threads of a block run between two meetings, and the blocks of a grid. A
/// missing barrier shows in one order and not in another, so tests run all of them.
/// kForward, kReverse and kRandom let every thread come to its next meeting in turn, which keeps
/// warps close to each other; in the others a warp runs until it ends or waits at a barrier before
/// the next one does anything: first warp first, or last.
enum class Order { kForward, kReverse, kRandom, kWarpByWarp, kWarpByWarpReverse };

/// How launches run. A thread begins with what FORGE_SIMT_ORDER says: "forward", "reverse",
/// "random", "random:SEED", "warps" or "warps-reverse".
struct Settings {
  Order order = Order::kForward;
  uint64_t seed = 1;  // of kRandom
};
/// From now on, in this OS thread.
void set(const Settings& settings);
/// What FORGE_SIMT_ORDER says. Throws Fault where it is none of these.
[[nodiscard]] Settings settings_of_environment();

/// A kernel that did what CUDA forbids: lanes of a warp in different collectives, a barrier that
/// not all threads reach, an asynchronous copy nobody waits for. The message names the kernel and
/// who waits where.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Launch {
  std::string name;  // of the kernel
  Dim3 grid;
  Dim3 block;
  size_t shared_bytes = 0;
};

/// Runs body once per thread of the grid. Shared memory starts as 0xFF bytes (NaN, -1). Throws
/// Fault.
void run(const Launch& launch, const std::function<void()>& body);

/// What the calling fiber is; only inside run().
[[nodiscard]] Dim3 thread_idx();
[[nodiscard]] Dim3 block_idx();
[[nodiscard]] Dim3 block_dim();
[[nodiscard]] Dim3 grid_dim();
[[nodiscard]] int lane();
/// The block's dynamic shared memory.
[[nodiscard]] std::span<std::byte> shared();

/// std::source_location, which Clang 14 does not have.
using Where = std::experimental::source_location;

/// __syncthreads(): returns when every thread of the block that has not ended has come.
void barrier(Where where = Where::current());

/// The largest value that a lane brings to a collective: the fragments of an mma, 40 bytes.
inline constexpr size_t kSlotBytes = 64;
/// What the 32 lanes of a warp brought to a collective.
struct Slots {
  std::byte* bytes = nullptr;
  template <typename T>
  [[nodiscard]] T of(int from_lane) const {
    static_assert(sizeof(T) <= kSlotBytes);
    T value;
    __builtin_memcpy(&value, bytes + static_cast<size_t>(from_lane) * kSlotBytes, sizeof(T));
    return value;
  }
  template <typename T>
  void set(int of_lane, const T& value) const {
    static_assert(sizeof(T) <= kSlotBytes);
    __builtin_memcpy(bytes + static_cast<size_t>(of_lane) * kSlotBytes, &value, sizeof(T));
  }
};
/// Brings bytes to a collective of all lanes of the warp, which must all come to it with the same
/// op. combine, if any, is called once, when all are there, and may change the slots. What is
/// returned is valid until this lane's next collective.
[[nodiscard]] Slots meet(const char* op, std::span<const std::byte> bytes, Where where,
                         void (*combine)(const Slots&) = nullptr);
template <typename T>
[[nodiscard]] Slots meet(const char* op, const T& value, Where where,
                         void (*combine)(const Slots&) = nullptr) {
  return meet(op, std::as_bytes(std::span(&value, 1)), where, combine);
}

/// cp.async: the bytes arrive at the latest possible moment, when their group is waited for.
void copy_async(void* to, const void* from, size_t bytes);
void commit_copies();
/// Waits until at most n_open of this thread's committed groups are under way.
void wait_copies(int n_open);

}  // namespace forge::simt
