// Forced into every kernel source that is compiled for the CPU: what kernels/cuda/device/ is made
// of there.
#pragma once

#include "tests/simt/half_math.h"
#include "tests/simt/mma.h"
#include "tests/simt/simt.h"
