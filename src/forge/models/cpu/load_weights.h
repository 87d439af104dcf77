// A decoder's weights: from a packed file where one is kept, or packed anew.
#pragma once

#include "forge/base/result.h"
#include "forge/base/thread_team.h"
#include "forge/models/cpu/packed_weights.h"
#include "forge/models/decoder.h"

namespace forge::models::cpu {

/// Packs the model's matrices. With packed_cache, maps the packed file that an earlier call
/// wrote; where there is none, or it is not of this checkpoint, or damaged, packs and writes it.
/// What happened to the file goes to options.on_note; that it cannot be used or written is never an
/// error. Fails where there is no memory.
[[nodiscard]] Result<PackedWeights> load_weights(const Model& model, const BackendOptions& options,
                                                 ThreadTeam& team);

}  // namespace forge::models::cpu
