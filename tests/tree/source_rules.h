// The rules of the source tree as pure functions on text, so that tests can show that each one
// bites.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace forge::tree {

/// One broken rule: "PATH:LINE: what is wrong", ready to print.
using Findings = std::vector<std::string>;

/// Checks every #include of one file against the ladder of layers:
///
///   base < tensor < {formats, text (base only), kernels, cache} < models < engine < server < cli
///
/// A layer may include itself and what the table in source_rules.cpp allows it; `bundled` and the
/// generated forge/build_info.h are for engine and cli. Includes in quotes are written from the
/// root
/// ("forge/..."). server/client/ sees itself and base only. <rapidjson/...> is for base/, CUDA's
/// headers for kernels/cuda/. path: relative to the repository, "src/forge/LAYER/...". An unknown
/// layer is a finding.
Findings check_includes(std::string_view path, std::string_view text);

/// Checks that a source file says in its first line (after a script's #! line) what it is, and that
/// a header has #pragma once. Files of a kind that cannot carry a comment pass.
Findings check_opening(std::string_view path, std::string_view text);

/// Checks that no part of a path is a name that says nothing: utils, common, helpers, misc.
Findings check_path_names(std::string_view path);

/// Checks that a file names no directory of one particular machine: home directories and the like.
Findings check_machine_paths(std::string_view path, std::string_view text);

/// Checks that a text file ends with one line end and has no tabs (Makefiles aside), no blanks at
/// line ends, and no carriage returns.
Findings check_whitespace(std::string_view path, std::string_view text);

}  // namespace forge::tree
