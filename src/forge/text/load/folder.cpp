#include <filesystem>
#include <string>

#include "forge/text/load/load.h"

namespace forge::text {
namespace {

bool has_file(const std::string& folder, const char* name) {
  std::error_code code;
  return std::filesystem::is_regular_file(folder + "/" + name, code);
}

}  // namespace

Result<TokenizerParts> load_tokenizer_folder(const std::string& folder) {
  std::error_code code;
  if (!std::filesystem::is_directory(folder, code)) {
    return make_error("{}: not a folder, expected one with tokenizer.json", folder);
  }
  FORGE_TRY(const TokenizerConfig config, load_tokenizer_config(folder));
  if (has_file(folder, "tokenizer.json")) {
    return load_tokenizer_json(folder + "/tokenizer.json", config);
  }
  if (has_file(folder, "tokenizer.model")) {
    return load_tokenizer_model(folder + "/tokenizer.model", config);
  }
  if (has_file(folder, "vocab.json") && has_file(folder, "merges.txt")) {
    return load_vocab_and_merges(folder, config);
  }
  return make_error(
      "{}: no tokenizer: expected tokenizer.json, tokenizer.model, or vocab.json with merges.txt",
      folder);
}

}  // namespace forge::text
