#include "forge/engine/random_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <map>
#include <numbers>
#include <utility>

#include "forge/base/bytes.h"
#include "forge/engine/random_blocks.h"
#include "forge/engine/random_vocabulary.h"
#include "forge/formats/output_file.h"
#include "forge/models/tensor_table.h"

namespace forge::engine {
namespace {

constexpr double kSigma = 0.02;
constexpr int64_t kAlignment = 32;  // GGUF's default
constexpr int64_t kPieceBytes = int64_t{32} << 20;

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// The names of a list, for messages.
template <typename T>
std::string names_of(std::span<const T> list) {
  std::vector<std::string_view> names;
  for (const T& entry : list) names.push_back(entry.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

void put_metadata(const RandomModelShape& shape, const WeightMix& mix,
                  formats::GgufWriter& writer) {
  const auto key = [&shape](std::string_view name) {
    return fmt::format("{}.{}", shape.architecture, name);
  };
  const auto size = [](int32_t value) { return static_cast<uint32_t>(value); };
  writer.put_string("general.architecture", shape.architecture);
  writer.put_string("general.type", "model");
  writer.put_string("general.name", fmt::format("{} (random weights)", shape.title));
  if (mix.file_type) writer.put_uint32("general.file_type", *mix.file_type);
  writer.put_uint32("general.quantization_version", 2);
  writer.put_uint32(key("block_count"), size(shape.n_layers));
  writer.put_uint32(key("context_length"), size(shape.context_len));
  writer.put_uint32(key("embedding_length"), size(shape.hidden_dim));
  writer.put_uint32(key("feed_forward_length"), size(shape.ffn_dim));
  writer.put_uint32(key("attention.head_count"), size(shape.n_heads));
  writer.put_uint32(key("attention.head_count_kv"), size(shape.n_kv_heads));
  if (shape.head_dim * shape.n_heads != shape.hidden_dim) {
    writer.put_uint32(key("attention.key_length"), size(shape.head_dim));
    writer.put_uint32(key("attention.value_length"), size(shape.head_dim));
  }
  if (shape.sliding_window > 0) {
    writer.put_uint32(key("attention.sliding_window"), size(shape.sliding_window));
  }
  writer.put_float32(key("rope.freq_base"), static_cast<float>(shape.rope_theta));
  writer.put_float32(key("attention.layer_norm_rms_epsilon"), shape.norm_eps);
  if (shape.architecture == "llama" || shape.architecture == "phi3") {
    writer.put_uint32(key("rope.dimension_count"), size(shape.head_dim));
    writer.put_uint32(key("vocab_size"), size(shape.vocab_size));
  }
}

/// What each rotary frequency is divided by. Source: Llama 3.1's reference code, apply_scaling.
float llama3_divisor(const RandomModelShape& shape, int64_t i) {
  constexpr double kOriginalContext = 8192.0;
  constexpr double kLowFactor = 1.0;
  constexpr double kHighFactor = 4.0;
  const double exponent = 2.0 * static_cast<double>(i) / shape.head_dim;
  const double wavelength = 2.0 * std::numbers::pi * std::pow(shape.rope_theta, exponent);
  const double turns = kOriginalContext / wavelength;
  if (turns > kHighFactor) return 1.0f;
  if (turns < kLowFactor) return static_cast<float>(shape.llama3_rope_factor);
  const double smooth = (turns - kLowFactor) / (kHighFactor - kLowFactor);
  return static_cast<float>(1.0 / ((1.0 - smooth) / shape.llama3_rope_factor + smooth));
}

}  // namespace

RandomModel::RandomModel(const RandomModelShape& shape, const WeightMix& mix, uint64_t seed)
    : shape_(&shape), mix_(&mix), seed_(seed), name_(fmt::format("{}:{}", shape.name, mix.name)) {}

Result<RandomModel> RandomModel::create(std::string_view spec_and_type, uint64_t seed) {
  const std::string text = lower(spec_and_type);
  const size_t colon = text.find(':');
  if (colon == std::string::npos) {
    return make_error("{}: expected SPEC:TYPE, as in smollm2-135m:q8_0; specs are {}; types are {}",
                      spec_and_type, names_of(random_model_shapes()), names_of(weight_mixes()));
  }
  const std::string spec = text.substr(0, colon);
  const auto shapes = random_model_shapes();
  const auto shape = std::ranges::find(shapes, spec, &RandomModelShape::name);
  if (shape == shapes.end()) {
    return make_error("{}: unknown spec \"{}\", expected one of {}", spec_and_type, spec,
                      names_of(shapes));
  }
  const std::string type = text.substr(colon + 1);
  const WeightMix* mix = find_weight_mix(type);
  if (mix == nullptr) {
    return make_error("{}: unknown type \"{}\", expected one of {}", spec_and_type, type,
                      names_of(weight_mixes()));
  }
  RandomModel model(*shape, *mix, seed);
  model.add_tensors();
  FORGE_TRY_STATUS(model.finish_head());
  return model;
}

void RandomModel::add(std::string name, DType dtype, const Shape& shape, Content content) {
  tensors_.push_back({std::move(name), {dtype, shape, nullptr}, 0, content});
}

// In the order of converted files: the embedding, the layers, the rest.
void RandomModel::add_tensors() {
  const models::ModelSpec spec = shape_->tensor_spec();
  constexpr auto kGguf = models::CheckpointFormat::kGguf;
  constexpr auto kVector = models::TensorKind::kVector;
  const auto content_of = [](models::TensorKind kind, std::string_view role) {
    if (kind != kVector) return Content::kMatrix;
    return role.ends_with("bias") ? Content::kBias : Content::kNorm;
  };
  const auto add_model_tensor = [&](const models::ModelTensor& tensor) {
    if (!tensor.is_present(spec)) return;
    const Shape shape = tensor.shape(spec);
    const bool is_output = tensor.role == models::kOutputRole;
    const MatrixPlace place{.role = tensor.role,
                            .columns = shape.columns(),
                            .is_head = is_output || spec.has_tied_embeddings};
    const DType dtype = tensor.kind == kVector ? DType::kF32 : mix_->type_of(place);
    add(std::string(tensor.name(kGguf)), dtype, shape, content_of(tensor.kind, tensor.role));
  };
  const auto model_tensors = models::model_tensors();
  add_model_tensor(model_tensors[0]);
  for (int32_t layer = 0; layer < spec.n_layers; ++layer) {
    for (const models::LayerTensor& tensor : models::layer_tensors()) {
      if (!tensor.is_present(spec)) continue;
      const Shape shape = tensor.shape(spec);
      const MatrixPlace place{.role = tensor.role,
                              .layer = layer,
                              .n_layers = spec.n_layers,
                              .columns = shape.columns()};
      const DType dtype = tensor.kind == kVector ? DType::kF32 : mix_->type_of(place);
      add(tensor.name(kGguf, layer), dtype, shape, content_of(tensor.kind, tensor.role));
    }
  }
  for (const models::ModelTensor& tensor : model_tensors.subspan(1)) add_model_tensor(tensor);
  if (shape_->llama3_rope_factor > 0.0) {
    add("rope_freqs.weight", DType::kF32, {shape_->head_dim / 2}, Content::kRopeDivisors);
  }
}

Status RandomModel::finish_head() {
  formats::GgufWriter writer;
  put_metadata(*shape_, *mix_, writer);
  put_random_vocabulary(*shape_, writer);
  for (const Tensor& tensor : tensors_) writer.add_tensor(tensor.name, tensor.view);
  FORGE_TRY(head_, writer.head(name_));
  file_bytes_ = static_cast<int64_t>(head_.size());
  for (Tensor& tensor : tensors_) {
    tensor.offset = file_bytes_;
    file_bytes_ += aligned(tensor.view.bytes());
  }
  return {};
}

std::vector<std::byte> RandomModel::vector_bytes(size_t tensor) const {
  const Tensor& t = tensors_[tensor];
  std::vector<std::byte> bytes(static_cast<size_t>(t.view.bytes()));
  // Streams below this belong to the tiles of random_blocks.h.
  constexpr uint32_t kFirstStream = 1000;
  for (int64_t i = 0; i < t.view.columns(); ++i) {
    float value = 0.0f;
    if (t.content == Content::kRopeDivisors) {
      value = llama3_divisor(*shape_, i);
    } else {
      const double mean = t.content == Content::kNorm ? 1.0 : 0.0;
      const auto stream = kFirstStream + static_cast<uint32_t>(tensor);
      value =
          static_cast<float>(mean + kSigma * normal_at(seed_, stream, static_cast<uint64_t>(i)));
    }
    store_le(bytes.data() + i * static_cast<int64_t>(sizeof(float)), value);
  }
  return bytes;
}

/// place(offset, bytes) gives the memory for bytes of the file at offset, which is then filled;
/// offsets ascend.
template <typename Place>
Status RandomModel::make_pieces(ThreadPool& pool, const RandomModelProgress& progress,
                                const Place& place) const {
  std::map<DType, RandomBlocks> blocks_of;
  for (size_t index = 0; index < tensors_.size(); ++index) {
    const Tensor& tensor = tensors_[index];
    if (tensor.content != Content::kMatrix) {
      const std::vector<std::byte> bytes = vector_bytes(index);
      std::memcpy(place(tensor.offset, static_cast<int64_t>(bytes.size())), bytes.data(),
                  bytes.size());
      continue;
    }
    const DType dtype = tensor.view.dtype;
    const auto found = blocks_of.try_emplace(dtype, dtype, kSigma, seed_).first;
    const RandomBlocks& blocks = found->second;
    const int64_t unit = blocks.unit_bytes();
    const int64_t n_units = tensor.view.bytes() / unit;
    const int64_t piece_units = kPieceBytes / unit;
    for (int64_t first = 0; first < n_units; first += piece_units) {
      const int64_t count = std::min(piece_units, n_units - first);
      std::byte* out = place(tensor.offset + first * unit, count * unit);
      constexpr int64_t kGrain = 4096;  // units: some 100 us of work
      pool.parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
        blocks.fill(index, first + begin,
                    {out + begin * unit, static_cast<size_t>((end - begin) * unit)});
      });
      if (progress && !progress(tensor.offset + (first + count) * unit, file_bytes_)) {
        return make_error("{}: interrupted", name_);
      }
    }
  }
  return {};
}

Result<HugeBuffer> RandomModel::outline() const {
  FORGE_TRY(HugeBuffer buffer, HugeBuffer::allocate(static_cast<size_t>(file_bytes_)));
  std::memcpy(buffer.data(), head_.data(), head_.size());
  for (size_t index = 0; index < tensors_.size(); ++index) {
    if (tensors_[index].content == Content::kMatrix) continue;
    const std::vector<std::byte> bytes = vector_bytes(index);
    std::memcpy(buffer.data() + tensors_[index].offset, bytes.data(), bytes.size());
  }
  return buffer;
}

Status RandomModel::fill(HugeBuffer& outline, ThreadPool& pool,
                         const RandomModelProgress& progress) const {
  FORGE_CHECK(static_cast<int64_t>(outline.bytes()) == file_bytes_, "{} bytes, expected {}",
              outline.bytes(), file_bytes_);
  return make_pieces(pool, progress,
                     [&outline](int64_t offset, int64_t) { return outline.data() + offset; });
}

Status RandomModel::write(const std::string& path, ThreadPool& pool,
                          const RandomModelProgress& progress) const {
  FORGE_TRY(formats::OutputFile file, formats::OutputFile::create(path));
  file.write(head_);
  std::vector<std::byte> piece;
  const auto flush = [&] {
    file.write(piece);
    piece.clear();
  };
  FORGE_TRY_STATUS(make_pieces(pool, progress, [&](int64_t offset, int64_t bytes) {
    flush();
    const auto gap = offset - static_cast<int64_t>(file.size());
    FORGE_CHECK(gap >= 0 && gap < kAlignment, "{} bytes before {}", gap, offset);
    if (gap > 0) file.pad_to(kAlignment);
    piece.resize(static_cast<size_t>(bytes));
    return piece.data();
  }));
  flush();
  file.pad_to(kAlignment);
  return file.commit();
}

}  // namespace forge::engine
