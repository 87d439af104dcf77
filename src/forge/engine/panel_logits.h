// A row of logits in panels of 16 with their maxima, so that most of them need not be looked at.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::engine {

inline constexpr int kPanelLen = 16;  // the rows that one panel of the output head computes

/// One row of logits as the sampler sees it: the caller's array, which is not copied or changed,
/// and on top of it the few entries that bias and penalties change.
///
/// Invariants after set() or apply_changes(): a panel's maximum is that of its 16 entries; no entry
/// is not-a-number; entries past the vocabulary are -infinity.
///
/// Owns scratch memory (4 bytes per panel), so one thread at a time.
class PanelLogits {
 public:
  /// Takes a row of logits (n > 0), which must stay where it is while this is used. panel_maxima
  /// are the maxima of ids 16p .. 16p + 15, of which one that is not a number makes the maximum not
  /// a number or +infinity; where empty, they are computed. Fails where a logit is not a number or
  /// +infinity, naming the first such token.
  [[nodiscard]] Status set(std::span<const float> logits, std::span<const float> panel_maxima);

  /// The logit of a token as it is after the changes so far.
  [[nodiscard]] float at(int32_t id) const;
  /// Changes one logit, here only. To any number or an infinity.
  void change(int32_t id, float logit);
  /// After the last change(): makes the maxima right again.
  void apply_changes();

  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(logits_.size()); }
  [[nodiscard]] int32_t n_panels() const { return static_cast<int32_t>(maxima_.size()); }
  [[nodiscard]] std::span<const float> maxima() const { return maxima_; }
  /// The 16 entries of a panel.
  [[nodiscard]] const float* panel(int32_t p) const {
    return slots_.empty() || slots_[static_cast<size_t>(p)] < 0
               ? logits_.data() + int64_t{p} * kPanelLen
               : copies_.data() + int64_t{slots_[static_cast<size_t>(p)]} * kPanelLen;
  }
  /// The token with the largest logit, the lowest id among equals.
  [[nodiscard]] int32_t argmax() const;

 private:
  float* copy_panel(int32_t p);

  std::span<const float> logits_;
  std::span<const float> maxima_;  // the caller's or own_maxima_
  std::vector<float> own_maxima_;
  std::vector<float> copies_;    // changed panels, and the last one where it is not full
  std::vector<int32_t> copied_;  // their numbers
  std::vector<int32_t> slots_;   // per panel: its place in copies_ or -1; empty: no copies
};

/// Fails where a logit is not a number or +infinity, naming the first such token. Only errors about
/// such numbers are kInternal, here and in the loop: see kF16Hint.
[[nodiscard]] Status check_logits(std::span<const float> logits);

/// What these errors go on with where a device computes products in f16.
inline constexpr std::string_view kF16Hint = ", or too large for f16: use --dtype bf16";

}  // namespace forge::engine
