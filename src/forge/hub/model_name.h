// Names of models on the Hugging Face Hub, as people write them.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::hub {

/// NAME[:quant][@revision].
struct ModelName {
  std::string repo;               // "org/name"
  std::string quant;              // "Q4_K_M", as written; empty: the choice is Forge's
  std::string revision = "main";  // a branch, a tag or a commit

  /// As a person writes it: without "main".
  [[nodiscard]] std::string text() const;
};

/// org/name[:quant][@revision], also behind "hf.co/", "huggingface.co/" and "https://" with either,
/// and with /tree/REVISION as a browser's address has it. Fails where the Hub would have no such
/// name, and where a part of it could mean another folder (..).
[[nodiscard]] Result<ModelName> parse_model_name(std::string_view text);

/// The same, and of a name in the cache: org/ may be left out.
[[nodiscard]] Result<ModelName> parse_cached_name(std::string_view text);

/// Whether the text is meant as a name rather than as a path: a Hub's address, or two parts with
/// one slash that look like no file.
[[nodiscard]] bool looks_like_model_name(std::string_view text);

/// 40 lower-case hex digits.
[[nodiscard]] bool is_commit(std::string_view revision);

/// Fails where a revision is no name of a branch, tag or commit, or could leave the folder refs/.
[[nodiscard]] Status check_revision(std::string_view revision);

}  // namespace forge::hub
