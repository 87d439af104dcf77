#include "forge/kernels/gated_activation.h"

#include "forge/base/check.h"
#include "forge/kernels/ref/gated_activation.h"

namespace forge::kernels {

void gated_activation(const ActivationView& gate, const ActivationView& up, GateFunction function,
                      const Context& context) {
  FORGE_CHECK(gate.rows == up.rows && gate.columns == up.columns, "gate [{}, {}] up [{}, {}]",
              gate.rows, gate.columns, up.rows, up.columns);
  context.pool->parallel_for(gate.rows, 4, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      ref::gated_activation(gate.row(t), up.row(t), gate.columns, function);
    }
  });
}

}  // namespace forge::kernels
