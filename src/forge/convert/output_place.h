// Whether a converted model may be written where a person wants it.
#pragma once

#include <cstdint>
#include <string>

#include "forge/base/result.h"
#include "forge/models/model.h"

namespace forge::convert {

/// Fails, naming out and what to do, where it is a folder or a device, one of the files that model
/// is read from (by whatever name), there already (without overwrite), in a folder that does not
/// exist, or where less than n_bytes are free.
[[nodiscard]] Status check_output_place(const models::Model& model, const std::string& out,
                                        int64_t n_bytes, bool overwrite);

}  // namespace forge::convert
