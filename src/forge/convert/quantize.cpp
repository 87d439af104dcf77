#include "forge/convert/quantize.h"

#include <algorithm>
#include <utility>

#include "forge/base/mapped_file.h"
#include "forge/base/thread_pool.h"
#include "forge/convert/background_writer.h"
#include "forge/convert/encode_rows.h"
#include "forge/convert/first_fault.h"
#include "forge/convert/output_place.h"
#include "forge/formats/output_file.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"

namespace forge::convert {
namespace {

constexpr int64_t kAlignment = 32;  // GGUF's default
// Some tens of milliseconds of encoding: what a Ctrl-C waits for and a progress bar shows.
constexpr int64_t kSlabBytes = int64_t{4} << 20;
// A thread's share at a time, 128 KiB as f32: many times the 16 blocks that are searched at once.
constexpr int64_t kGrainValues = 32768;

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Works through one tensor after the other; owns the output.
class Run {
 public:
  Run(const Source& source, const QuantizePlan& plan, const QuantizeOptions& options,
      formats::OutputFile file)
      : source_(source),
        plan_(plan),
        options_(options),
        pool_(options.n_threads),
        file_(std::move(file)),
        writer_(file_) {
    progress_.total_bytes = plan.file_bytes;
    progress_.n_tensors = static_cast<int64_t>(plan.tensors.size());
  }

  Result<bool> write() {
    FORGE_TRY_STATUS(put(plan_.head));
    for (const QuantizePlan::Tensor& tensor : plan_.tensors) {
      progress_.tensor = tensor.source->name;
      const bool is_vector = tensor.source->view.shape.rank() == 1;
      FORGE_TRY(const bool goes_on, is_vector ? write_vector(tensor) : write_matrix(tensor));
      if (!goes_on) return false;
      ++progress_.n_done;
    }
    if (!report()) return false;
    FORGE_TRY_STATUS(writer_.finish());
    FORGE_TRY_STATUS(file_.commit());
    return true;
  }

 private:
  /// The bytes stay until the next put() returns.
  Status put(std::span<const std::byte> bytes) {
    progress_.done_bytes += static_cast<int64_t>(bytes.size());
    return writer_.write(bytes);
  }

  bool report() { return !options_.on_progress || options_.on_progress(progress_); }

  Result<bool> write_vector(const QuantizePlan::Tensor& tensor) {
    const TensorView& view = tensor.source->view;
    const int64_t n = view.columns();
    std::vector<float> values(static_cast<size_t>(n));
    std::vector<float> ordered(values.size());
    decode(view.dtype, view.data, n, values.data());
    for (int64_t i = 0; i < n; ++i) {
      ordered[static_cast<size_t>(i)] =
          values[static_cast<size_t>(source_row(*tensor.source, i, n))];
    }
    FirstFault fault;
    fault.check_row(0, ordered, tensor.dtype);
    FORGE_TRY_STATUS(fault.status(tensor.source->origin));
    std::vector<std::byte>& slab = next_slab(n * static_cast<int64_t>(sizeof(float)), Last::kYes);
    encode(tensor.dtype, ordered.data(), n, slab.data());
    FORGE_TRY_STATUS(put(slab));
    return report();
  }

  Result<bool> write_matrix(const QuantizePlan::Tensor& tensor) {
    const TensorView& view = tensor.source->view;
    const int64_t row_bytes_out = *row_bytes(tensor.dtype, view.columns());
    const int64_t slab_rows = std::max<int64_t>(1, kSlabBytes / row_bytes_out);
    for (int64_t first = 0; first < view.rows(); first += slab_rows) {
      const int64_t n = std::min(slab_rows, view.rows() - first);
      const Last is_last = first + n == view.rows() ? Last::kYes : Last::kNo;
      std::vector<std::byte>& slab = next_slab(n * row_bytes_out, is_last);
      FirstFault fault;
      const int64_t grain = std::max<int64_t>(1, kGrainValues / view.columns());
      pool_.parallel_for(n, grain, [&](int64_t begin, int64_t end) {
        encode_rows(*tensor.source, tensor.dtype, first + begin, first + end, fault,
                    slab.data() + begin * row_bytes_out);
      });
      FORGE_TRY_STATUS(fault.status(tensor.source->origin));
      FORGE_TRY_STATUS(put(slab));
      // Rows of other slabs may be in the same head where q and k are put in another order.
      if (tensor.source->n_paired_heads == 0) release(view, first, n);
      if (!report()) return false;
    }
    if (tensor.source->n_paired_heads != 0) release(view, 0, view.rows());
    return true;
  }

  /// A tensor's last slab ends with the zeros up to the next tensor.
  enum class Last { kNo, kYes };

  /// The one of two that is not being written.
  std::vector<std::byte>& next_slab(int64_t bytes, Last is_last) {
    std::swap(slabs_[0], slabs_[1]);
    const int64_t end = progress_.done_bytes + bytes;
    const int64_t padding = is_last == Last::kYes ? aligned(end) - end : 0;
    slabs_[0].resize(static_cast<size_t>(bytes + padding));
    std::fill(slabs_[0].end() - padding, slabs_[0].end(), std::byte{});
    return slabs_[0];
  }

  void release(const TensorView& view, int64_t first, int64_t n) const {
    if (!source_.model->is_mapped) return;
    release_pages({view.row(first), static_cast<size_t>(n * view.bytes_per_row())});
  }

  const Source& source_;
  const QuantizePlan& plan_;
  const QuantizeOptions& options_;
  ThreadPool pool_;
  std::vector<std::byte> slabs_[2];
  formats::OutputFile file_;
  BackgroundWriter writer_;
  QuantizeProgress progress_;
};

}  // namespace

Result<QuantizePlan> plan_quantization(const Source& source, const Mixture& mixture) {
  const models::ModelSpec& spec = source.model->spec;
  QuantizePlan plan;
  formats::GgufWriter writer = source.metadata;
  writer.put_uint32("general.file_type", mixture.file_type);
  writer.put_uint32("general.quantization_version", 2);
  int64_t data_bytes = 0;
  for (const SourceTensor& tensor : source.tensors) {
    const TensorView& view = tensor.view;
    DType dtype = DType::kF32;
    if (view.shape.rank() > 1) {
      dtype = mixture.type_of(tensor.name, view.columns(), spec);
      const bool is_quantised = info(view.dtype).block_len > 1;
      if (is_quantised && view.dtype != dtype) ++plan.n_requantized;
      // A row of one block fits every type: what it would be without a fallback.
      if (mixture.type_of(tensor.name, 256, spec) != dtype) ++plan.n_substituted;
    }
    const TensorView out{dtype, view.shape, nullptr};
    writer.add_tensor(tensor.name, out);
    plan.tensors.push_back({&tensor, dtype});
    plan.weight_bytes += out.bytes();
    plan.n_weights += out.rows() * out.columns();
    data_bytes += aligned(out.bytes());
  }
  FORGE_TRY(plan.head, writer.head(source.model->path));
  plan.file_bytes = static_cast<int64_t>(plan.head.size()) + data_bytes;
  return plan;
}

Result<bool> quantize(const Source& source, const QuantizePlan& plan, const std::string& out,
                      const QuantizeOptions& options) {
  if (plan.n_requantized > 0 && !options.allow_requantize) {
    return make_error(
        "{}: {} tensors are quantised already: quantise from the original F32, F16 or BF16, which "
        "loses less, or give --allow-requantize",
        source.model->path, plan.n_requantized);
  }
  FORGE_TRY_STATUS(check_output_place(*source.model, out, plan.file_bytes, options.overwrite));
  FORGE_TRY(formats::OutputFile file, formats::OutputFile::create(out));
  return Run(source, plan, options, std::move(file)).write();
}

}  // namespace forge::convert
