// What is asked of the server that is measured.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace forge::server::client {

/// Text, or token ids for servers that take them.
using Prompt = std::variant<std::string, std::vector<int32_t>>;

/// Prompts that a run takes one after the other. Prompt i is a pure function of these settings and
/// i, so a run can be repeated, and no two prompts of one agree past the prefix.
struct RandomPrompts {
  uint64_t seed = 0;
  int64_t n_units = 128;       // words or ids of each prompt; > 0
  int64_t n_prefix_units = 0;  // that all prompts begin with; <= n_units
  bool as_ids = false;
  int32_t vocab_size = 1000;  // ids are drawn from [vocab_size / 2, vocab_size): special tokens and
                              // single bytes have low ids

  [[nodiscard]] Prompt prompt(int64_t i) const;
};

}  // namespace forge::server::client
