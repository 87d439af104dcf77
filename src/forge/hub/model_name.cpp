#include "forge/hub/model_name.h"

#include <algorithm>
#include <array>
#include <optional>

namespace forge::hub {
namespace {

constexpr size_t kMaxNameLength = 96;
constexpr size_t kMaxRevisionLength = 255;

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '.';
}

bool is_words(std::string_view text) { return std::all_of(text.begin(), text.end(), is_word); }

/// What follows the Hub's address; nothing where the text has none before it.
std::optional<std::string_view> after_address(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://", ""}) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    for (const std::string_view host : {"huggingface.co/", "www.huggingface.co/", "hf.co/"}) {
      if (rest.starts_with(host)) return rest.substr(host.size());
    }
  }
  return std::nullopt;
}

// Half of org/name, by the Hub's own rules.
Status check_half(std::string_view half, std::string_view text) {
  const auto is_edge = [](char c) { return c == '-' || c == '.'; };
  if (half.empty() || half.size() > kMaxNameLength || !is_words(half) || is_edge(half.front()) ||
      is_edge(half.back()) || half.find("..") != half.npos || half.find("--") != half.npos) {
    return make_error(
        "{}: not a model's name: expected org/name of letters, digits, '-', '_' and '.'", text);
  }
  return {};
}

}  // namespace

std::string ModelName::text() const {
  std::string text = repo;
  if (!quant.empty()) text += ":" + quant;
  if (revision != "main") text += "@" + revision;
  return text;
}

bool is_commit(std::string_view revision) {
  return revision.size() == 40 && revision.find_first_not_of("0123456789abcdef") == revision.npos;
}

Status check_revision(std::string_view revision) {
  const bool is_plain = std::all_of(revision.begin(), revision.end(),
                                    [](char c) { return is_word(c) || c == '/' || c == '+'; });
  if (revision.empty() || revision.size() > kMaxRevisionLength || !is_plain ||
      revision.front() == '/' || revision.back() == '/' || revision.front() == '.' ||
      revision.find("..") != revision.npos || revision.find("//") != revision.npos ||
      revision.find("/.") != revision.npos) {
    return make_error("revision \"{}\": expected a branch, a tag or a commit", revision);
  }
  return {};
}

Result<ModelName> parse_cached_name(std::string_view text) {
  std::string_view rest = text;
  ModelName name;
  if (const auto path = after_address(text)) {
    rest = path->substr(0, path->find_first_of("?#"));
    while (rest.ends_with('/')) rest.remove_suffix(1);
    if (const size_t tree = rest.find("/tree/"); tree != rest.npos) {
      name.revision = rest.substr(tree + 6);
      rest = rest.substr(0, tree);
    }
  }
  if (const size_t at = rest.find('@'); at != rest.npos) {
    name.revision = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  if (const size_t colon = rest.find(':'); colon != rest.npos) {
    name.quant = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (name.quant.empty() || name.quant.size() > kMaxNameLength || !is_words(name.quant)) {
      return make_error("{}: after the ':' a quantisation is expected, like Q4_K_M", text);
    }
  }
  const size_t slash = rest.find('/');
  if (slash != rest.npos) FORGE_TRY_STATUS(check_half(rest.substr(0, slash), text));
  FORGE_TRY_STATUS(check_half(slash == rest.npos ? rest : rest.substr(slash + 1), text));
  if (const Status status = check_revision(name.revision); !status.ok()) {
    return make_error("{}: {}", text, status.error().message);
  }
  name.repo = rest;
  return name;
}

Result<ModelName> parse_model_name(std::string_view text) {
  FORGE_TRY(ModelName name, parse_cached_name(text));
  if (name.repo.find('/') == name.repo.npos) {
    return make_error("{}: not a model's name: expected org/name", text);
  }
  return name;
}

bool looks_like_model_name(std::string_view text) {
  if (after_address(text)) return true;
  const std::string_view repo = text.substr(0, text.find_first_of(":@"));
  for (const std::string_view ending : {".gguf", ".safetensors", ".json", ".bin"}) {
    if (text.ends_with(ending)) return false;
  }
  return std::count(repo.begin(), repo.end(), '/') == 1 && !repo.starts_with('/') &&
         !repo.ends_with('/') && !repo.starts_with('.') && !repo.starts_with('~');
}

}  // namespace forge::hub
