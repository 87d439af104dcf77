// What this machine can do at most: the figures that measured speeds are shares of.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "forge/base/result.h"
#include "forge/kernels/cpu/isa.h"

namespace forge::engine {

/// Operations per second, products and additions counted apart, of all threads together, with
/// operands in registers and the L1 cache.
struct PeakRates {
  double int8 = 0.0;
  double bf16 = 0.0;
  double f32 = 0.0;
};

/// The best of a few runs of 30 ms for each type, by the kernels of one ISA level.
[[nodiscard]] PeakRates measure_peaks(kernels::cpu::IsaLevel level, int n_threads);

/// Seconds from one stage of a ThreadTeam to the next where no stage does anything: what a barrier
/// of the decoder costs. The median of runs in which all threads took part; nothing where there was
/// none because other processes held the cores.
[[nodiscard]] std::optional<double> measure_stage_latency(int n_threads);

/// The middle of the values, the mean of the two middle ones where their number is even; not empty.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace forge::engine
