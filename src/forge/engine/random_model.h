// Models with random weights in the shapes of real ones: for measuring speed without a download.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/huge_buffer.h"
#include "forge/base/result.h"
#include "forge/base/thread_pool.h"
#include "forge/engine/random_model_shape.h"
#include "forge/engine/weight_mix.h"
#include "forge/tensor/view.h"

namespace forge::engine {

/// Hears how many of the file's bytes are made; false ends the work.
using RandomModelProgress = std::function<bool(int64_t done, int64_t total)>;

/// A GGUF file that does not exist yet: its head, and where each tensor will be. Matrices are
/// N(0, 0.02) in blocks that random_blocks.h describes, biases N(0, 0.02), norms 1 + N(0, 0.02);
/// the metadata is what llama.cpp and others ask for, with a vocabulary (random_vocabulary.h). The
/// same name and seed give the same bytes, with any number of threads. Immutable.
class RandomModel {
 public:
  enum class Content { kMatrix, kNorm, kBias, kRopeDivisors };
  struct Tensor {
    std::string name;
    TensorView view;  // without data
    int64_t offset;   // in the file
    Content content;
  };

  /// spec_and_type: "smollm2-135m:q8_0"; case does not matter. Fails on names it does not know,
  /// listing those it knows.
  [[nodiscard]] static Result<RandomModel> create(std::string_view spec_and_type,
                                                  uint64_t seed = 1);

  /// "smollm2-135m:q8_0", as the lists spell it.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const RandomModelShape& shape() const { return *shape_; }
  /// Everything before the tensor data.
  [[nodiscard]] std::span<const std::byte> head() const { return head_; }
  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
  [[nodiscard]] int64_t file_bytes() const { return file_bytes_; }

  /// The file in memory without its matrices, which are zeros that take no memory yet: enough for
  /// models::load_gguf_model and a memory plan. Fails where the address space cannot be had.
  [[nodiscard]] Result<HugeBuffer> outline() const;
  /// Makes the matrices of an outline; views of them stay valid. Fails where progress said so.
  [[nodiscard]] Status fill(HugeBuffer& outline, ThreadPool& pool,
                            const RandomModelProgress& progress = {}) const;
  /// Writes the file piece by piece; needs some 32 MiB.
  [[nodiscard]] Status write(const std::string& path, ThreadPool& pool,
                             const RandomModelProgress& progress = {}) const;

 private:
  RandomModel(const RandomModelShape& shape, const WeightMix& mix, uint64_t seed);
  void add(std::string name, DType dtype, const Shape& shape, Content content);
  void add_tensors();
  [[nodiscard]] Status finish_head();
  [[nodiscard]] std::vector<std::byte> vector_bytes(size_t tensor) const;
  template <typename Place>
  [[nodiscard]] Status make_pieces(ThreadPool& pool, const RandomModelProgress& progress,
                                   const Place& place) const;

  const RandomModelShape* shape_;
  const WeightMix* mix_;
  uint64_t seed_;
  std::string name_;
  std::vector<std::byte> head_;
  std::vector<Tensor> tensors_;
  int64_t file_bytes_ = 0;
};

}  // namespace forge::engine
