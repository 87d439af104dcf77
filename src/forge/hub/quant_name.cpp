#include "forge/hub/quant_name.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <regex>

namespace forge::hub {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return result;
}

// The best quality for a size that pays first (where llama.cpp's users come to rest), then larger
// ones, then those that lose more; only types that Forge reads.
constexpr std::array<std::string_view, 24> kOrder = {
    "Q4_K_M", "Q4_K_XL", "Q4_K_L", "Q4_K",   "Q4_K_S", "Q5_K_M", "Q5_K", "Q5_K_S",
    "IQ4_XS", "IQ4_NL",  "Q4_0",   "Q4_1",   "MXFP4",  "Q5_0",   "Q5_1", "Q6_K",
    "Q8_0",   "Q3_K_L",  "Q3_K_M", "Q3_K_S", "BF16",   "F16",    "F32",  "Q2_K"};

std::string without_prefix(const std::string& quant) {
  return quant.starts_with("UD-") ? quant.substr(3) : quant;
}

}  // namespace

std::string quant_of_file(std::string_view file) {
  static const std::regex pattern(
      R"((?:^|[-._/ ])((?:UD-)?(?:I?Q[1-8]_(?:[01]|K|NL|XXS|XS|S|M)(?:_[0-9]+)*(?:_(?:XXL|XL|XXS|XS|L|M|S))?|TQ[12]_0|BF16|F16|FP16|F32|FP32|MXFP4(?:_MOE)?))(?=$|[-._/ ]))",
      std::regex::icase | std::regex::optimize);
  const std::string text(file.substr(0, 1024));
  std::string quant;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) {
    quant = upper((*at)[1].str());
  }
  if (quant == "FP16" || quant == "FP32") quant.erase(1, 1);
  if (quant == "MXFP4_MOE") quant = "MXFP4";
  return quant;
}

std::optional<GgufPart> gguf_part_of_file(std::string_view file) {
  constexpr std::string_view kShape = "-00001-of-00001.gguf";
  if (file.size() <= kShape.size() || !file.ends_with(".gguf")) return std::nullopt;
  const std::string_view tail = file.substr(file.size() - kShape.size());
  const auto number = [](std::string_view digits) {
    int32_t value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + 5, value);
    return failure == std::errc() && end == digits.data() + 5 && digits[0] != '-' ? value : 0;
  };
  GgufPart part{std::string(file.substr(0, file.size() - kShape.size())), number(tail.substr(1, 5)),
                number(tail.substr(10, 5))};
  const bool has_shape = tail[0] == '-' && tail.substr(6, 4) == "-of-";
  if (!has_shape || part.number < 1 || part.count < part.number) return std::nullopt;
  return part;
}

bool is_gguf_model(std::string_view file) {
  if (!file.ends_with(".gguf")) return false;
  const std::string name = upper(file);
  for (const std::string_view other : {"MMPROJ", "IMATRIX", "GGML-VOCAB", "LORA", "ADAPTER"}) {
    if (name.find(other) != name.npos) return false;
  }
  return true;
}

std::vector<GgufModel> gguf_models(const std::vector<NamedSize>& files) {
  struct Group {
    GgufModel model;
    std::map<int32_t, std::string> parts;
    int32_t count = 1;
  };
  std::map<std::string, Group> groups;
  for (const NamedSize& file : files) {
    if (!is_gguf_model(file.name)) continue;
    const auto part = gguf_part_of_file(file.name);
    Group& group = groups[part ? part->prefix + "-" + std::to_string(part->count) : file.name];
    group.model.n_bytes += std::max<int64_t>(file.n_bytes, 0);
    group.parts[part ? part->number : 1] = file.name;
    group.count = part ? part->count : 1;
  }
  std::vector<GgufModel> models;
  for (auto& [key, group] : groups) {
    for (auto& [number, name] : group.parts) group.model.files.push_back(name);
    group.model.n_missing = group.count - static_cast<int32_t>(group.parts.size());
    group.model.quant = quant_of_file(group.model.files.front());
    models.push_back(std::move(group.model));
  }
  return models;
}

int quant_rank(std::string_view quant) {
  const std::string name = without_prefix(upper(quant));
  const auto* const at = std::find(kOrder.begin(), kOrder.end(), name);
  return at == kOrder.end() ? -1 : static_cast<int>(at - kOrder.begin());
}

bool same_quant(std::string_view wanted, std::string_view quant) {
  const std::string name = upper(wanted);
  const std::string other = upper(quant);
  return !other.empty() &&
         (name == other || (!name.starts_with("UD-") && name == without_prefix(other)));
}

}  // namespace forge::hub
