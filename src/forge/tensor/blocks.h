// What the bytes of each quantised block are. One struct per type, drawn above it; code(i) says
// where the code of element i lies, and is the only place that knows.
//
// A block stores block_len consecutive elements of a row. All numbers are little-endian. The
// structs have no padding, but files give blocks any alignment: copy one out with
// load_le<BlockQ4_K>(address) and in with store_le. Source of the layouts: ggml's ggml-common.h and
// the GGUF specification.
//
//   blocks_simple.h    one scale per 32 elements:       Q4_0 Q4_1 Q5_0 Q5_1 Q8_0
//   blocks_k.h         super-blocks of 256 elements:    Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K
//   blocks_codebook.h  codes that index a value table:  IQ4_NL IQ4_XS MXFP4
#pragma once

#include "forge/tensor/blocks_codebook.h"
#include "forge/tensor/blocks_k.h"
#include "forge/tensor/blocks_simple.h"
