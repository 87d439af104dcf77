#include "forge/base/memory_bandwidth.h"

#include <sys/mman.h>

#include <barrier>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>

#include "forge/base/function_ref.h"

namespace forge {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

/// Anonymous memory with a chosen kind of pages, begin aligned to 2 MiB.
class Pages {
 public:
  static Result<Pages> map(size_t bytes, PageKind kind) {
    const size_t mapped = bytes + kHugePage;
    void* address =
        ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) {
      return make_error("cannot map {} bytes to measure memory: {}", mapped, std::strerror(errno));
    }
    Pages pages;
    pages.address_ = address;
    pages.mapped_ = mapped;
    // Refused only where the kernel has no huge pages at all: then both kinds are the same.
    (void)::madvise(address, mapped, kind == PageKind::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    return pages;
  }
  Pages(Pages&& other) noexcept : address_(other.address_), mapped_(other.mapped_) {
    other.address_ = nullptr;
  }
  Pages& operator=(Pages&&) = delete;
  ~Pages() {
    if (address_ != nullptr) ::munmap(address_, mapped_);
  }
  [[nodiscard]] std::byte* begin() const {
    const auto address = reinterpret_cast<uintptr_t>(address_);
    return reinterpret_cast<std::byte*>((address + kHugePage - 1) / kHugePage * kHugePage);
  }

 private:
  Pages() = default;
  void* address_ = nullptr;
  size_t mapped_ = 0;
};

/// Runs pass(part, bytes) on every thread's part, n_passes times, and gives bytes per second.
Result<std::vector<double>> measure(const BandwidthOptions& options,
                                    FunctionRef<void(std::byte* part, size_t bytes)> pass) {
  using Clock = std::chrono::steady_clock;
  FORGE_CHECK(options.n_threads >= 1 && options.n_passes >= 1, "{} threads, {} passes",
              options.n_threads, options.n_passes);
  const auto n_threads = static_cast<size_t>(options.n_threads);
  const size_t part = static_cast<size_t>(options.bytes) / n_threads / kHugePage * kHugePage;
  FORGE_CHECK(part > 0, "{} bytes for {} threads", options.bytes, n_threads);
  FORGE_TRY(const Pages pages, Pages::map(part * n_threads, options.pages));
  std::vector<double> rates(static_cast<size_t>(options.n_passes));
  // Not a ThreadTeam: here every thread must do its own part, however late it is.
  std::barrier meeting(options.n_threads);
  const auto work = [&](size_t thread) {
    std::byte* mine = pages.begin() + thread * part;
    std::memset(mine, 1, part);
    for (double& rate : rates) {
      meeting.arrive_and_wait();
      const Clock::time_point begin = Clock::now();
      pass(mine, part);
      meeting.arrive_and_wait();
      const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      if (thread == 0) rate = static_cast<double>(part * n_threads) / seconds;
    }
  };
  std::vector<std::thread> others;
  for (size_t thread = 1; thread < n_threads; ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  return rates;
}

/// Every byte, 64 at a time, in four independent sums.
void read_all(const std::byte* data, size_t bytes) {
  using Vector [[gnu::vector_size(16)]] = uint64_t;
  Vector sums[4] = {};
  const auto* v = reinterpret_cast<const Vector*>(data);
  for (size_t i = 0; i < bytes / sizeof(Vector); i += 4) {
    sums[0] += v[i];
    sums[1] += v[i + 1];
    sums[2] += v[i + 2];
    sums[3] += v[i + 3];
  }
  asm volatile("" : : "r"(sums) : "memory");
}

}  // namespace

Result<std::vector<double>> measure_read_bandwidth(const BandwidthOptions& options) {
  return measure(options, [](std::byte* part, size_t bytes) { read_all(part, bytes); });
}

Result<std::vector<double>> measure_copy_bandwidth(const BandwidthOptions& options) {
  return measure(options, [](std::byte* part, size_t bytes) {
    std::memcpy(part, part + bytes / 2, bytes / 2);
  });
}

}  // namespace forge
