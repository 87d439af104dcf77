// The slow, exact twin of every other backend: the ops of kernels/ref in f32, sums in double.
#pragma once

#include <memory>

#include "forge/models/decoder_backend.h"

namespace forge::models {

/// The model must outlive the decoder. Multiplies the checkpoint's own bytes: nothing is packed.
[[nodiscard]] std::unique_ptr<DecoderBackend> make_reference_decoder(const Model& model,
                                                                     const DecoderOptions& options);

}  // namespace forge::models
