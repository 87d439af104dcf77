#include "forge/sampling.h"

#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "forge/base/result.h"

namespace forge {
namespace {

enum class LowerEnd { kIncluded, kExcluded };

struct Range {
  std::string_view name;
  double value;
  double low;
  double high;
  LowerEnd lower_end = LowerEnd::kIncluded;
};

Status check(const Range& range) {
  const bool above =
      range.lower_end == LowerEnd::kIncluded ? range.value >= range.low : range.value > range.low;
  if (above && range.value <= range.high && std::isfinite(range.value)) return {};
  const std::string_view relation = range.lower_end == LowerEnd::kIncluded ? ">=" : ">";
  if (std::isinf(range.high)) {
    return make_error("{} is {}, expected a number {} {}", range.name, range.value, relation,
                      range.low);
  }
  return make_error("{} is {}, expected a number {} {} and <= {}", range.name, range.value,
                    relation, range.low, range.high);
}

}  // namespace

Status validate(const SamplingParams& params, int32_t vocab_size) {
  constexpr double kNoLimit = std::numeric_limits<double>::infinity();
  const Range ranges[] = {
      {"temperature", params.temperature, 0.0, kNoLimit},
      {"top_k", static_cast<double>(params.top_k), 0.0, kNoLimit},
      {"top_p", params.top_p, 0.0, 1.0},
      {"min_p", params.min_p, 0.0, 1.0},
      {"typical_p", params.typical_p, 0.0, 1.0, LowerEnd::kExcluded},
      {"repetition_penalty", params.repetition_penalty, 0.0, kNoLimit, LowerEnd::kExcluded},
      {"presence_penalty", params.presence_penalty, -2.0, 2.0},
      {"frequency_penalty", params.frequency_penalty, -2.0, 2.0},
  };
  for (const Range& range : ranges) FORGE_TRY_STATUS(check(range));

  std::unordered_set<int32_t> seen;
  for (const LogitBias& entry : params.logit_bias) {
    if (entry.id < 0 || entry.id >= vocab_size) {
      return make_error("logit_bias names token {}, the model's vocabulary has 0 to {}", entry.id,
                        vocab_size - 1);
    }
    if (!(entry.bias >= -100.0f && entry.bias <= 100.0f)) {
      return make_error("logit_bias of token {} is {}, expected a number >= -100 and <= 100",
                        entry.id, entry.bias);
    }
    if (!seen.insert(entry.id).second) {
      return make_error("logit_bias names token {} twice", entry.id);
    }
  }
  return {};
}

}  // namespace forge
