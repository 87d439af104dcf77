#include "forge/models/cpu/load_weights.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "forge/models/cpu/packed_file.h"

namespace forge::models::cpu {

Result<PackedWeights> load_weights(const Model& model, const BackendOptions& options,
                                   ThreadTeam& team) {
  const std::optional<DType> quantize = options.quantize;
  const auto pack = [&] {
    const auto source = model.is_mapped ? WeightSource::kMappedFile : WeightSource::kMemory;
    return pack_weights(model.weights, source, quantize, team);
  };
  const auto note = [&](const std::string& text) {
    if (options.on_note) options.on_note("packed cache: " + text);
  };
  if (options.packed_cache.empty()) return pack();
  if (model.tensor_set().mappings().empty()) {
    note("not used: this model is not in a file");
    return pack();
  }

  const PackedFileKey key = packed_file_key(
      model, quantize, lay_out_weights(model.weights, quantize, nullptr), options.packed_cache);
  std::error_code ignored;
  if (std::filesystem::exists(key.path, ignored)) {
    Result<MappedFile> file = open_packed_file(key, team);
    if (file.ok()) {
      PackedWeights mapped =
          lay_out_weights(model.weights, quantize, file->bytes().data() + key.payload_offset());
      mapped.file = std::move(file).value();
      return mapped;
    }
    note(fmt::format("{}: {}; packing again", key.path, file.error().message));
  }
  FORGE_TRY(PackedWeights packed, pack());
  const std::span<const std::byte> payload(packed.memory.data(), static_cast<size_t>(packed.bytes));
  if (const Status status = write_packed_file(key, payload, team); !status.ok()) {
    note(status.error().message + "; going on without");
  } else {
    note(fmt::format("wrote {}, {} bytes", key.path, packed.bytes));
  }
  return packed;
}

}  // namespace forge::models::cpu
