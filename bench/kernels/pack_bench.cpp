// How fast weights are packed, per type, against copying the same bytes in the same run:
//
//   pack_bench [threads] [columns] [megabytes] [repeats]
//
// Rates are GB/s of source bytes, medians. Each repeat times the copy and every type once, in turn,
// so that a busy machine slows all of them alike. The destination's pages exist before.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "forge/base/huge_buffer.h"
#include "forge/base/thread_team.h"
#include "forge/kernels/cpu/pack.h"

namespace forge::kernels::cpu {
namespace {

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

/// GB/s of `bytes` for f(worker) on all workers.
template <class F>
double rate(ThreadTeam& team, int64_t bytes, F&& f) {
  const auto start = std::chrono::steady_clock::now();
  team.run(1, [&](int, int worker) { f(worker); });
  const std::chrono::duration<double> s = std::chrono::steady_clock::now() - start;
  return static_cast<double>(bytes) / s.count() * 1e-9;
}

/// Rows of whole panels in so many bytes.
int64_t rows_within(DType dtype, int64_t columns, int64_t bytes) {
  return std::max<int64_t>(1, bytes / *row_bytes(dtype, columns) / kPanelRows) * kPanelRows;
}

int run(int n_threads, int64_t columns, int64_t most, int repeats) {
  auto from = HugeBuffer::allocate(static_cast<size_t>(most));
  auto to = HugeBuffer::allocate(static_cast<size_t>(most + most / 8));
  if (!from.ok() || !to.ok()) {
    std::fprintf(stderr, "no memory for %lld bytes twice\n", static_cast<long long>(most));
    return 1;
  }
  for (int64_t i = 0; i < most; ++i) from->data()[i] = static_cast<std::byte>(i * 2654435761 >> 13);
  std::memset(to->data(), 1, to->bytes());

  ThreadTeam team(n_threads);
  const auto types = all_dtypes();
  std::vector<std::vector<double>> pack(types.size());
  std::vector<std::vector<double>> copy(types.size());
  for (int i = 0; i < repeats; ++i) {
    for (size_t t = 0; t < types.size(); ++t) {
      const DType dtype = types[t].dtype;
      const int64_t rows = rows_within(dtype, columns, most);
      const TensorView view{.dtype = dtype, .shape = Shape{rows, columns}, .data = from->data()};
      const auto share = [&](int64_t n, int worker) { return n * worker / n_threads; };
      copy[t].push_back(rate(team, view.bytes(), [&](int worker) {
        const int64_t begin = share(view.bytes(), worker);
        const int64_t end = share(view.bytes(), worker + 1);
        std::memcpy(to->data() + begin, from->data() + begin, static_cast<size_t>(end - begin));
      }));
      pack[t].push_back(rate(team, view.bytes(), [&](int worker) {
        const int64_t begin = share(n_panels(rows), worker);
        pack_panels(view, begin, share(n_panels(rows), worker + 1),
                    to->data() + begin * panel_bytes(dtype, columns));
      }));
    }
  }
  std::printf("rows of %lld, %lld MB, %d threads, %d repeats\n\n", static_cast<long long>(columns),
              static_cast<long long>(most / 1000000), n_threads, repeats);
  std::printf("| type | pack GB/s | copy GB/s | share of copy |\n|---|---|---|---|\n");
  for (size_t t = 0; t < types.size(); ++t) {
    std::vector<double> shares(pack[t].size());
    for (size_t i = 0; i < shares.size(); ++i) shares[i] = pack[t][i] / copy[t][i];
    std::printf("| %.*s | %.2f | %.2f | %.0f %% |\n", static_cast<int>(types[t].name.size()),
                types[t].name.data(), median(pack[t]), median(copy[t]), 100 * median(shares));
  }
  return 0;
}

}  // namespace
}  // namespace forge::kernels::cpu

int main(int argc, char** argv) {
  const auto argument = [&](int i, int64_t otherwise) {
    return argc > i ? std::max<int64_t>(1, std::atoll(argv[i])) : otherwise;
  };
  const int64_t columns = (argument(2, 2048) + 255) / 256 * 256;  // every type's blocks fit
  const int64_t most = std::max(argument(3, 128) * 1000000, columns * 4 * 16);
  return forge::kernels::cpu::run(static_cast<int>(argument(1, 2)), columns, most,
                                  static_cast<int>(argument(4, 9)));
}
