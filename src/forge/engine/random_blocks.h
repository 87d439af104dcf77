// Matrices of random weights in any storage type, made at memory speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forge/tensor/dtype.h"

namespace forge::engine {

/// The value at a position of an endless row of N(0, 1) numbers; different streams are independent.
/// Box and Muller's transform of Philox numbers (engine/random.h).
[[nodiscard]] double normal_at(uint64_t seed, uint32_t stream, uint64_t position);

/// Encodes 2^18 values N(0, sigma) once, by the encoder of the type; a matrix is then blocks chosen
/// among these at random, so that making it costs a hash and a copy per block instead of an
/// encoder's search. The marginal distribution of the weights is that of the encoded values; what
/// is lost is independence: the same block of 32 or 256 weights occurs again elsewhere. Immutable:
/// any thread may fill.
class RandomBlocks {
 public:
  RandomBlocks(DType dtype, double sigma, uint64_t seed);

  /// Values that fill() chooses together.
  [[nodiscard]] int64_t unit_len() const { return unit_len_; }
  [[nodiscard]] int64_t unit_bytes() const { return unit_bytes_; }
  /// Units first_unit and on of a matrix, as many as out holds (a whole number). A pure function of
  /// seed, matrix and unit.
  void fill(uint64_t matrix, int64_t first_unit, std::span<std::byte> out) const;

 private:
  int64_t unit_len_;
  int64_t unit_bytes_;
  uint64_t seed_;
  uint64_t n_units_;  // a power of two
  std::vector<std::byte> tile_;
};

}  // namespace forge::engine
