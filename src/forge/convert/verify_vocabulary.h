// Checks of a model's tokenizer and chat template against each other and the model.
#pragma once

#include <optional>
#include <string>

#include "forge/base/result.h"
#include "forge/formats/gguf.h"
#include "forge/models/model_spec.h"

namespace forge::convert {

/// What the check of a tokenizer leaves for that of the template.
struct VocabularyReport {
  std::optional<std::string> chat_template;
  std::string bos_token;
  std::string eos_token;
};

/// Both return what was found in a line, or fail with what is wrong and where: no tokenizer, more
/// ids than the embedding has rows (GGUF: not as many), ids of special tokens that do not exist, a
/// token's text that does not encode to tokens of the same text.
[[nodiscard]] Result<std::string> check_gguf_vocabulary(const formats::GgufFile& file,
                                                        const models::ModelSpec& spec,
                                                        VocabularyReport& report);
[[nodiscard]] Result<std::string> check_folder_vocabulary(const std::string& folder,
                                                          const models::ModelSpec& spec,
                                                          VocabularyReport& report);

/// Compiles the template and renders a conversation with it.
[[nodiscard]] Result<std::string> check_chat_template(const std::string& path,
                                                      const VocabularyReport& report);

}  // namespace forge::convert
