#include "forge/convert/mixture.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace forge::convert {
namespace {

using enum DType;
using enum When;

constexpr Raises kMoreBitsQ6K{{{kMoreBits, kQ6_K}}};
constexpr Raises kSharedQ5K{{{kSharedByFour, kQ5_K}}};
constexpr Raises kEighthQ5K{{{kFirstEighth, kQ5_K}}};
constexpr Raises kAllQ3K{{{kAlways, kQ3_K}}};
constexpr Raises kAllQ4K{{{kAlways, kQ4_K}}};
constexpr Raises kAllQ5K{{{kAlways, kQ5_K}}};

// clang-format off
constexpr std::array kMixtures{
    //      name      base     type  attn_v                                         ffn_down                                            attn_output
    Mixture{"F32",    kF32,    0},
    Mixture{"BF16",   kBF16,   32},
    Mixture{"F16",    kF16,    1},
    Mixture{"Q8_0",   kQ8_0,   7},
    Mixture{"Q6_K",   kQ6_K,   18},
    Mixture{"Q5_K_M", kQ5_K,   17, kMoreBitsQ6K,                                    kMoreBitsQ6K},
    Mixture{"Q5_K_S", kQ5_K,   16},
    Mixture{"Q5_1",   kQ5_1,   9},
    Mixture{"Q5_0",   kQ5_0,   8},
    Mixture{"Q4_K_M", kQ4_K,   15, kMoreBitsQ6K,                                    kMoreBitsQ6K},
    Mixture{"Q4_K_S", kQ4_K,   14, {{{kFirstFour, kQ5_K}}},                         kEighthQ5K},
    Mixture{"Q4_1",   kQ4_1,   3},
    Mixture{"Q4_0",   kQ4_0,   2},
    Mixture{"IQ4_NL", kIQ4_NL, 25, kSharedQ5K,                                      kEighthQ5K},
    Mixture{"IQ4_XS", kIQ4_XS, 30, kSharedQ5K,                                      kEighthQ5K},
    Mixture{"MXFP4",  kMXFP4,  38},
    Mixture{"Q3_K_L", kQ3_K,   13, kAllQ5K,                                         kAllQ5K,                                            kAllQ5K},
    Mixture{"Q3_K_M", kQ3_K,   12, {{{kFirstTwo, kQ5_K}, {kAlways, kQ4_K}}},        {{{kFirstSixteenth, kQ5_K}, {kAlways, kQ4_K}}},     kAllQ4K},
    Mixture{"Q3_K_S", kQ3_K,   11},
    Mixture{"Q2_K",   kQ2_K,   10, {{{kSharedByFour, kQ4_K}, {kAlways, kQ3_K}}},    kAllQ3K,                                            kAllQ3K},
    Mixture{"Q2_K_S", kQ2_K,   21, {{{kSharedByFour, kQ4_K}}},                      {{{kFirstEighth, kQ4_K}}}},
};
// clang-format on

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAliases{
    {{"Q3_K", "Q3_K_M"}, {"Q4_K", "Q4_K_M"}, {"Q5_K", "Q5_K_M"}}};

bool is_float(DType dtype) { return info(dtype).block_len == 1; }

DType fallback(DType dtype) {
  switch (dtype) {
    case kQ2_K:
    case kQ3_K:
      return kQ4_0;
    case kQ4_K:
      return kQ5_0;
    case kQ5_K:
      return kQ5_1;
    case kQ6_K:
      return kQ8_0;
    case kIQ4_XS:
      return kIQ4_NL;
    default:
      return kF16;
  }
}

/// The number in "blk.12.attn_v.weight"; 0 outside the layers.
int32_t layer_of(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  int32_t layer = 0;
  if (name.starts_with(kPrefix)) {
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  }
  return layer;
}

bool applies(When when, int32_t layer, const models::ModelSpec& spec) {
  const int32_t n = spec.n_layers;
  switch (when) {
    case kNever:
      return false;
    case kAlways:
      return true;
    case kMoreBits:
      return layer < n / 8 || layer >= 7 * n / 8 || (layer - n / 8) % 3 == 2;
    case kFirstEighth:
      return layer < n / 8;
    case kFirstSixteenth:
      return layer < n / 16;
    case kFirstTwo:
      return layer < 2;
    case kFirstFour:
      return layer < 4;
    case kSharedByFour:
      return spec.n_heads / spec.n_kv_heads >= 4;
  }
  return false;
}

DType raised(const Raises& raises, DType base, int32_t layer, const models::ModelSpec& spec) {
  for (const Raise& raise : raises) {
    if (applies(raise.when, layer, spec)) return raise.dtype;
  }
  return base;
}

/// Llama 2 and 3 and Qwen2 of 70 and 72 billion: eight heads share keys and values, so that attn_v
/// is small and its bits are cheap.
bool is_70b(const models::ModelSpec& spec) {
  const bool is_family = spec.architecture == "llama" || spec.architecture == "mistral" ||
                         spec.architecture == "qwen2";
  return is_family && spec.n_layers == 80 && spec.n_heads != spec.n_kv_heads;
}

}  // namespace

DType Mixture::type_of(std::string_view gguf_name, int64_t columns,
                       const models::ModelSpec& spec) const {
  if (is_float(base)) return base;
  const auto is = [gguf_name](std::string_view part) {
    return gguf_name.find(part) != std::string_view::npos;
  };
  const int32_t layer = layer_of(gguf_name);
  const bool is_head = gguf_name == "output.weight" ||
                       (gguf_name == "token_embd.weight" && spec.has_tied_embeddings);
  DType dtype = base;
  if (is_head) {
    dtype = base == kQ8_0 || base == kMXFP4 ? kQ8_0 : kQ6_K;
  } else if (is("attn_v.weight") || is("attn_qkv.weight")) {
    dtype = raised(attn_v, base, layer, spec);
    if (is_70b(spec) && (dtype == kQ3_K || dtype == kQ4_K)) dtype = kQ5_K;
  } else if (is("ffn_down")) {
    dtype = raised(ffn_down, base, layer, spec);
  } else if (is("attn_output.weight")) {
    dtype = raised(attn_output, base, layer, spec);
  }
  while (columns % info(dtype).block_len != 0) dtype = fallback(dtype);
  return dtype;
}

std::span<const Mixture> all_mixtures() { return kMixtures; }

const Mixture* find_mixture(std::string_view name) {
  const auto same = [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; };
  for (const auto& [alias, meant] : kAliases) {
    if (std::ranges::equal(name, alias, same)) return find_mixture(meant);
  }
  const auto found = std::ranges::find_if(kMixtures, [&](const Mixture& mixture) {
    return std::ranges::equal(name, mixture.name, same);
  });
  return found == kMixtures.end() ? nullptr : &*found;
}

}  // namespace forge::convert
