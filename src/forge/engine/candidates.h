// The first stage of truncation over a whole vocabulary: finds the tokens that can survive it by
// the panels' maxima, without looking at the rest.
#pragma once

#include <cstdint>

#include "forge/engine/panel_logits.h"
#include "forge/engine/token_weights.h"
#include "forge/engine/truncation.h"

namespace forge::engine {

/// The tokens with at least this logit, -infinity excluded, in order of their ids. Only panels
/// whose maximum is as large are read.
void collect(const PanelLogits& logits, float least_logit, const WeightScale& scale,
             Candidates& candidates);

/// What keep_top_k leaves of all tokens that are not excluded.
void collect_top_k(int32_t k, const PanelLogits& logits, const WeightScale& scale,
                   Candidates& candidates);

/// What keep_top_p leaves, the total of the weights being that of weigh_panels(). blocks is scratch
/// memory.
void collect_top_p(double p, const PanelLogits& logits, const WeightScale& scale,
                   std::vector<BlockSum>& blocks, Candidates& candidates);

/// What keep_min_p leaves. min_p > 0.
void collect_min_p(double min_p, const PanelLogits& logits, const WeightScale& scale,
                   Candidates& candidates);

/// What keep_typical leaves, total and entropy being those of weigh_panels().
void collect_typical(double p, const PanelLogits& logits, const WeightScale& scale,
                     std::vector<BlockSum>& blocks, Candidates& candidates);

}  // namespace forge::engine
