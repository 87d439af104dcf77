// What the name of a GGUF file says of its weights.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forge::hub {

/// The quantisation in a file's name, in upper case: "Q4_K_M" of "a/model.q4_k_m.gguf",
/// "UD-Q4_K_XL", "BF16"; the last one where there are several. Empty where there is none.
[[nodiscard]] std::string quant_of_file(std::string_view file);

/// Part and number of parts of "x-00002-of-00005.gguf".
struct GgufPart {
  std::string prefix;  // before "-00002-of-00005.gguf"
  int32_t number = 1;
  int32_t count = 1;
};
[[nodiscard]] std::optional<GgufPart> gguf_part_of_file(std::string_view file);

/// Whether the file is a language model: not a projector for images, an importance matrix, a
/// vocabulary or an adapter.
[[nodiscard]] bool is_gguf_model(std::string_view file);

/// All parts of one model in a repository.
struct GgufModel {
  std::string quant;               // may be empty
  std::vector<std::string> files;  // in order of their parts; the first is what is opened
  int64_t n_bytes = 0;             // of all of them; of the parts that are there
  int32_t n_missing = 0;           // parts that no file is there for
};

struct NamedSize {
  std::string name;
  int64_t n_bytes = 0;
};
/// Groups files into models, sorted by their first file's name.
[[nodiscard]] std::vector<GgufModel> gguf_models(const std::vector<NamedSize>& files);

/// How gladly a quantisation is taken where none is named: 0 is best, then 1, ...; negative: not
/// without being asked for. docs/hub.md has the order and why.
[[nodiscard]] int quant_rank(std::string_view quant);

/// Whether the wanted quantisation (as written, in any case) is this one; a model's own prefixes
/// like "UD-" count.
[[nodiscard]] bool same_quant(std::string_view wanted, std::string_view quant);

}  // namespace forge::hub
