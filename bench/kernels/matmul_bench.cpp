// Matrix products with weights that come from memory or from L2, per type and number of tokens:
//
//   matmul_bench [threads] [rows] [columns] [megabytes] [types: Q8_0,Q4_K,...] [tokens: 1,2,4,...]
//
// As many copies of the matrix as fit are multiplied one after another, megabytes 0 is one matrix
// only. GB/s of weights with the share of a plain read in the same run; GOP/s with the share of the
// int8, bf16 or f32 peak. Medians of 5.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "forge/base/huge_buffer.h"
#include "forge/base/memory_bandwidth.h"
#include "forge/base/thread_team.h"
#include "forge/base/work_ranges.h"
#include "forge/engine/machine_limits.h"
#include "forge/kernels/cpu/levels.h"
#include "forge/kernels/cpu/packed_format.h"

namespace forge::kernels::cpu {
namespace {

constexpr int kMaxTokens = 512;

struct Shape2 {
  int64_t rows;
  int64_t k;
};

struct Activations {
  std::vector<float> f32;
  std::vector<uint16_t> bf16;
  std::vector<int8_t> q;
  std::vector<float> d;
  std::vector<int32_t> nsum, nsum16;
  Int8Rows int8;
  int64_t k_padded;

  Activations(const KernelTable& table, int64_t k) : k_padded((k + 255) / 256 * 256) {
    const auto n = static_cast<size_t>(k_padded * kMaxTokens);
    f32.resize(n);
    bf16.resize(n);
    q.resize(n);
    d.resize(n / 32);
    nsum.resize(n / 32);
    nsum16.resize(n / 16);
    int8 = {q.data(), d.data(), nsum.data(), nsum16.data(), k_padded / 32, 1};
    std::mt19937 random(1);
    for (float& x : f32) x = static_cast<float>(random() % 2001) * 1e-3f - 1.0f;
    quantise(table, k, 1);
  }
  void quantise(const KernelTable& table, int64_t k, int32_t width) {
    int8.width = width;
    for (int64_t t = 0; t < kMaxTokens; ++t) {
      table.quantize_int8(f32.data() + t * k_padded, k, int8, t, 0);
      table.round_to_bf16(f32.data() + t * k_padded, k_padded, bf16.data() + t * k_padded);
    }
  }
};

std::vector<std::string> split(const char* text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

void run(int n_threads, Shape2 shape, int64_t most, const std::vector<std::string>& types,
         const std::vector<std::string>& tokens) {
  const IsaLevel level = choose_level().value();
  const KernelTable& table = kernels_of(level);
  Activations x(table, shape.k);
  const engine::PeakRates peaks = engine::measure_peaks(level, n_threads);

  ThreadTeam team(n_threads);
  WorkRanges ranges(n_threads);
  std::printf(
      "%s, %d threads, %ld x %ld\n| type | tokens | ms | GB/s | of read | GOP/s | of peak "
      "|\n|---|--:|--:|--:|--:|--:|--:|\n",
      std::string(name(level)).c_str(), n_threads, static_cast<long>(shape.rows),
      static_cast<long>(shape.k));
  for (const std::string& type : types) {
    const DType dtype = dtype_from_name(type).value();
    const int64_t panel = panel_bytes(dtype, shape.k);
    const auto panels = static_cast<int32_t>(n_panels(shape.rows));
    const auto copies = static_cast<int>(std::max<int64_t>(1, most / (panel * panels)));
    const int64_t bytes = copies * panels * panel;
    auto weights = HugeBuffer::allocate(static_cast<size_t>(bytes)).value();
    std::mt19937_64 random(2);
    for (int64_t i = 0; i + 8 <= bytes; i += 8) {
      // Finite in every type: exponents' top bits stay clear of all ones.
      const uint64_t v = random() & 0x3bff3bff3bff3bffu;
      std::memcpy(weights.data() + i, &v, 8);
    }
    const auto chunk = static_cast<int32_t>(std::max<int64_t>(2, 48 * 1024 / panel));
    const int32_t n_chunks = (panels + chunk - 1) / chunk;
    std::vector<std::vector<float>> y(static_cast<size_t>(n_threads));
    std::vector<HugeBuffer> scratch;
    for (auto& one : y) one.resize(static_cast<size_t>(chunk) * 16 * kMaxTokens);
    for (int i = 0; i < n_threads; ++i) {
      scratch.push_back(
          HugeBuffer::allocate(static_cast<size_t>(matmul_scratch_bytes(shape.k))).value());
    }
    for (const std::string& n_tokens : tokens) {
      const int n = std::atoi(n_tokens.c_str());
      x.quantise(table, shape.k, table.int8_width(n));
      const auto multiply = [&] {
        ranges.clear();
        team.run(copies, [&](int stage, int worker) {
          while (const auto c = ranges.next(stage, worker, n_chunks)) {
            const int32_t begin = *c * chunk;
            table.matmul[static_cast<int>(dtype)](
                {.weight = weights.data() + stage * panels * panel,
                 .panel_bytes = panel,
                 .k = shape.k,
                 .panel_begin = begin,
                 .panel_end = std::min(begin + chunk, panels),
                 .x_int8 = &x.int8,
                 .x_bf16 = x.bf16.data(),
                 .x_f32 = x.f32.data(),
                 .x_stride = x.k_padded,
                 .n_tokens = n,
                 .y = y[static_cast<size_t>(worker)].data(),
                 .y_stride = chunk * 16,
                 .scratch = scratch[static_cast<size_t>(worker)].data()});
          }
        });
      };
      const int inner =
          most == 0 ? static_cast<int>(1 + 200'000'000 / (shape.rows * shape.k * n)) : 1;
      std::vector<double> seconds, read;
      multiply();
      for (int i = 0; i < 5; ++i) {
        const auto start = std::chrono::steady_clock::now();
        for (int j = 0; j < inner; ++j) multiply();
        seconds.push_back(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
            inner);
        if (most > 0) {
          const auto rates = measure_read_bandwidth(
              {.n_threads = n_threads, .bytes = int64_t{256} << 20, .n_passes = 1});
          read.push_back(rates->front());
        }
      }
      const double s = engine::median(seconds);
      const double gb = static_cast<double>(bytes) / s * 1e-9;
      const double gop = 2.0 * static_cast<double>(shape.rows * shape.k) * copies * n / s * 1e-9;
      const double peak = dtype == DType::kBF16 ? peaks.bf16
                          : is_float(dtype)     ? peaks.f32
                                                : peaks.int8;
      std::printf("| %s | %d | %.3f | %.1f | %.0f %% | %.0f | %.0f %% |\n", type.c_str(), n,
                  s * 1e3, gb, read.empty() ? 0.0 : gb * 1e11 / engine::median(read), gop,
                  gop * 1e11 / peak);
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace forge::kernels::cpu

int main(int argc, char** argv) {
  using namespace forge::kernels::cpu;
  const auto number = [&](int i, long otherwise) {
    return argc > i ? std::atol(argv[i]) : otherwise;
  };
  run(static_cast<int>(number(1, 1)), {number(2, 1536), number(3, 576)}, number(4, 400) << 20,
      split(argc > 5 ? argv[5] : "Q8_0,Q4_0,Q4_K,Q6_K,BF16,F16"),
      split(argc > 6 ? argv[6] : "1,2,4,6,8,16,32,64,512"));
}
