#include "forge/hub/file_selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "forge/base/format_bytes.h"
#include "forge/hub/quant_name.h"

namespace forge::hub {
namespace {

constexpr std::array<std::string_view, 13> kTextFiles = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "chat_template.jinja",
    "chat_template.json",
    "model.safetensors.index.json",
};

bool has(const RepoListing& listing, std::string_view name) {
  return std::any_of(listing.files.begin(), listing.files.end(),
                     [&](const RepoFile& file) { return file.name == name; });
}

/// model-00001-of-00004.safetensors
bool is_shard(std::string_view name) {
  return name.starts_with("model-") && name.ends_with(".safetensors") &&
         name.find('/') == name.npos && name.find("-of-") != name.npos;
}

FileSelection select_safetensors(const RepoListing& listing) {
  const bool is_single = has(listing, "model.safetensors");
  FileSelection selection;
  for (const RepoFile& file : listing.files) {
    const bool is_weights = is_single ? file.name == "model.safetensors" : is_shard(file.name);
    const bool is_needless_index = is_single && file.name == "model.safetensors.index.json";
    if ((is_model_text_file(file.name) && !is_needless_index) || is_weights) {
      selection.files.push_back(file);
    }
  }
  return selection;
}

std::string list_quants(const std::vector<GgufModel>& models) {
  std::string text;
  for (const GgufModel& model : models) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} ({})", model.quant.empty() ? model.files.front() : model.quant,
                        format_bytes(model.n_bytes));
  }
  return text;
}

Result<const GgufModel*> named_quant(const std::vector<GgufModel>& models, const ModelName& name) {
  std::vector<const GgufModel*> found;
  for (const GgufModel& model : models) {
    if (same_quant(name.quant, model.quant)) found.push_back(&model);
  }
  // "Q4_K_XL" means the plain one where there is also "UD-Q4_K_XL".
  if (found.size() > 1) {
    std::erase_if(found, [](const GgufModel* model) { return model->quant.starts_with("UD-"); });
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return make_error("{}: no GGUF file of type {}: there are {}", name.repo, name.quant,
                      list_quants(models));
  }
  std::string files;
  for (const GgufModel* model : found) {
    files += (files.empty() ? "" : ", ") + model->files.front();
  }
  return make_error("{}: {} GGUF models of type {} ({}): download the one you want by hand",
                    name.repo, found.size(), name.quant, files);
}

Result<const GgufModel*> best_quant(const std::vector<GgufModel>& models, const ModelName& name,
                                    std::optional<int64_t> memory_bytes) {
  if (models.size() == 1) return &models.front();
  const auto fits = [&](const GgufModel& model) {
    return !memory_bytes || model.n_bytes / 4 * 5 <= *memory_bytes;
  };
  const GgufModel* best = nullptr;
  const GgufModel* least = nullptr;
  for (const GgufModel& model : models) {
    const int rank = quant_rank(model.quant);
    if (rank < 0) continue;
    if (least == nullptr || model.n_bytes < least->n_bytes) least = &model;
    if (fits(model) && (best == nullptr || rank < quant_rank(best->quant))) best = &model;
  }
  if (best != nullptr) return best;
  if (least != nullptr) {
    return make_error(
        "{}: no GGUF model in it fits into {} of memory; the smallest is {} with {}. "
        "{}:{} downloads it all the same",
        name.repo, format_bytes(*memory_bytes), least->quant, format_bytes(least->n_bytes),
        name.repo, least->quant);
  }
  return make_error(
      "{}: several GGUF models, none of a type that is taken unasked: name one, as "
      "in {}:{}; there are {}",
      name.repo, name.repo, models.front().quant, list_quants(models));
}

Result<FileSelection> select_gguf(const RepoListing& listing, const ModelName& name,
                                  std::optional<int64_t> memory_bytes) {
  std::vector<NamedSize> files;
  for (const RepoFile& file : listing.files) files.push_back({file.name, file.n_bytes});
  const std::vector<GgufModel> models = gguf_models(files);
  if (models.empty()) {
    return make_error("{}: no GGUF file in it, and only those have a type: leave \":{}\" out",
                      name.repo, name.quant);
  }
  FORGE_TRY(const GgufModel* model, name.quant.empty() ? best_quant(models, name, memory_bytes)
                                                       : named_quant(models, name));
  if (model->n_missing > 0) {
    return make_error("{}: {}: {} of its parts are not in the repository", name.repo,
                      model->files.front(), model->n_missing);
  }
  FileSelection selection{.files = {}, .gguf_file = model->files.front(), .note = {}};
  for (const RepoFile& file : listing.files) {
    const auto& parts = model->files;
    if (std::find(parts.begin(), parts.end(), file.name) != parts.end()) {
      selection.files.push_back(file);
    }
  }
  if (name.quant.empty() && models.size() > 1) {
    selection.note = fmt::format("{}: taking {} ({}) of {}; NAME:TYPE takes another", name.repo,
                                 model->quant.empty() ? model->files.front() : model->quant,
                                 format_bytes(model->n_bytes), list_quants(models));
  }
  return selection;
}

}  // namespace

bool is_model_text_file(std::string_view file) {
  return std::find(kTextFiles.begin(), kTextFiles.end(), file) != kTextFiles.end();
}

Result<FileSelection> select_files(const RepoListing& listing, const ModelName& name,
                                   std::optional<int64_t> memory_bytes) {
  const bool has_safetensors =
      has(listing, "model.safetensors") || has(listing, "model.safetensors.index.json");
  if (name.quant.empty() && has_safetensors && has(listing, "config.json")) {
    return select_safetensors(listing);
  }
  const auto ends = [&](std::string_view ending) {
    return std::any_of(listing.files.begin(), listing.files.end(),
                       [&](const RepoFile& file) { return file.name.ends_with(ending); });
  };
  if (ends(".gguf") || !name.quant.empty()) return select_gguf(listing, name, memory_bytes);
  if (has_safetensors || ends(".safetensors")) {
    return make_error(
        "{}: safetensors, but no {}: not a language model in the usual layout", name.repo,
        has(listing, "config.json") ? "model.safetensors or model.safetensors.index.json"
                                    : "config.json");
  }
  return make_error("{}: neither safetensors nor GGUF in it{}: look for a converted copy",
                    name.repo, ends(".bin") || ends(".pt") ? ", only PyTorch's own format" : "");
}

}  // namespace forge::hub
