#include "forge/engine/panel_logits.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "forge/base/check.h"
#include "forge/engine/lanes.h"

namespace forge::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Maxima of n full panels; whether all logits are numbers below +infinity.
bool scan_panels(const float* logits, size_t n, float* maxima) {
  using V = Lanes<4>;  // what every machine has; the scan is bound by memory
  constexpr int kParts = kPanelLen / 4;
  LaneMask<4> all_good = ~LaneMask<4>{};
  for (size_t p = 0; p < n; ++p) {
    V part[kParts];
    __builtin_memcpy(part, logits + p * kPanelLen, sizeof(part));
    for (const V& v : part) all_good &= v < kInfinity;  // false for not-a-number too
    maxima[p] = max_of_16(logits + p * kPanelLen);
  }
  return (all_good[0] & all_good[1] & all_good[2] & all_good[3]) != 0;
}

}  // namespace

Status check_logits(std::span<const float> logits) {
  for (size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] < kInfinity) continue;  // false for not-a-number too
    return Error{
        fmt::format("the model's logit for token {} is {}: its weights or its input are broken", id,
                    logits[id]),
        ErrorKind::kInternal};
  }
  return {};
}

Status PanelLogits::set(std::span<const float> logits, std::span<const float> panel_maxima) {
  const size_t n_full = logits.size() / kPanelLen;
  const size_t n_tail = logits.size() % kPanelLen;
  const size_t n_panels = n_full + (n_tail > 0 ? 1 : 0);
  FORGE_CHECK(!logits.empty() && (panel_maxima.empty() || panel_maxima.size() == n_panels),
              "{} logits, {} maxima", logits.size(), panel_maxima.size());
  logits_ = logits;
  copies_.clear();
  copied_.clear();
  slots_.clear();
  bool is_good = true;
  if (panel_maxima.empty()) {
    own_maxima_.resize(n_panels);
    is_good = scan_panels(logits.data(), n_full, own_maxima_.data());
    maxima_ = own_maxima_;
  } else {
    for (const float max : panel_maxima) is_good &= max < kInfinity;
    maxima_ = panel_maxima;
  }
  if (n_tail > 0) {
    const float* const tail = copy_panel(static_cast<int32_t>(n_full));
    if (panel_maxima.empty()) own_maxima_[n_full] = max_of_16(tail);
    for (size_t i = 0; i < n_tail; ++i) is_good &= tail[i] < kInfinity;
  }
  return is_good ? Status{} : check_logits(logits);
}

float PanelLogits::at(int32_t id) const { return panel(id / kPanelLen)[id % kPanelLen]; }

void PanelLogits::change(int32_t id, float logit) {
  const int32_t p = id / kPanelLen;
  const bool is_copied = !slots_.empty() && slots_[static_cast<size_t>(p)] >= 0;
  float* const copy = is_copied
                          ? copies_.data() + int64_t{slots_[static_cast<size_t>(p)]} * kPanelLen
                          : copy_panel(p);
  copy[id % kPanelLen] = logit;
}

void PanelLogits::apply_changes() {
  if (copied_.empty()) return;
  if (maxima_.data() != own_maxima_.data()) {
    own_maxima_.assign(maxima_.begin(), maxima_.end());
    maxima_ = own_maxima_;
  }
  for (const int32_t p : copied_) own_maxima_[static_cast<size_t>(p)] = max_of_16(panel(p));
}

float* PanelLogits::copy_panel(int32_t p) {
  if (slots_.empty()) slots_.assign(maxima_.empty() ? own_maxima_.size() : maxima_.size(), -1);
  slots_[static_cast<size_t>(p)] = static_cast<int32_t>(copied_.size());
  copied_.push_back(p);
  const size_t begin = copies_.size();
  copies_.resize(begin + kPanelLen, -kInfinity);
  const auto present = logits_.subspan(static_cast<size_t>(p) * kPanelLen);
  std::copy_n(present.begin(), std::min<size_t>(present.size(), kPanelLen), &copies_[begin]);
  return &copies_[begin];
}

int32_t PanelLogits::argmax() const {
  const float max = max_of(maxima_);
  const auto p =
      static_cast<int32_t>(std::find(maxima_.begin(), maxima_.end(), max) - maxima_.begin());
  const float* const entries = panel(p);
  return p * kPanelLen +
         static_cast<int32_t>(std::find(entries, entries + kPanelLen, max) - entries);
}

}  // namespace forge::engine
