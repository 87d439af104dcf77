// The files of a repository that running its model takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/hub/model_name.h"
#include "forge/hub/repo_listing.h"

namespace forge::hub {

struct FileSelection {
  std::vector<RepoFile> files;
  std::string gguf_file;  // what is opened, of a GGUF model; empty: the folder is
  std::string note;       // what was chosen and why, where a person may want to know
};

/// Of a repository with config.json and safetensors: those, the tokenizer's files,
/// generation_config and the chat template; nothing that is the same weights again. Else, or where
/// a quantisation is named, one GGUF model with all its parts: the named one, or the first in the
/// order of quant_rank() that takes at most 80 % of memory_bytes (nothing: not known, and all fit).
/// Fails where there is none, saying what there is.
[[nodiscard]] Result<FileSelection> select_files(const RepoListing& listing, const ModelName& name,
                                                 std::optional<int64_t> memory_bytes);

/// Whether a file at the top of a repository is one that a model of safetensors needs besides its
/// weights.
[[nodiscard]] bool is_model_text_file(std::string_view file);

}  // namespace forge::hub
