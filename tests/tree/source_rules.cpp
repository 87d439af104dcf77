// The rules themselves; see source_rules.h.
#include "tests/tree/source_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <set>

namespace forge::tree {
namespace {

using Layers = std::set<std::string, std::less<>>;

// What each layer may include besides itself. A new arrow here is a decision: say why in its
// commit.
const std::map<std::string, Layers, std::less<>>& ladder() {
  static const std::map<std::string, Layers, std::less<>> allowed{
      {"base", {}},
      {"tensor", {"base"}},
      {"formats", {"base", "tensor"}},
      {"text", {"base"}},
      {"hub", {"base"}},
      {"kernels", {"base", "tensor"}},
      {"cache", {"base", "tensor"}},
      {"models", {"base", "tensor", "formats", "kernels", "cache"}},
      {"bundled", {}},
      {"engine",
       {"base", "tensor", "formats", "text", "kernels", "cache", "models", "bundled",
        "build_info.h"}},
      {"convert", {"base", "tensor", "formats", "text", "hub", "models", "engine", "bundled"}},
      {"server", {"base", "text", "engine"}},
      {"cli",
       {"base", "tensor", "formats", "text", "hub", "kernels", "cache", "models", "engine",
        "convert", "server", "bundled", "build_info.h"}},
  };
  return allowed;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [path](std::string_view ending) { return path.ends_with(ending); });
}

// The reason why the layer's file may not include the target, or empty.
std::string include_fault(std::string_view path, const std::string& layer, char opening,
                          const std::string& target) {
  if (target.starts_with("rapidjson/") && !path.starts_with("src/forge/base/")) {
    return "RapidJSON is for base/; use forge/base/json.h";
  }
  if (target.starts_with("cuda") && !path.starts_with("src/forge/kernels/cuda/")) {
    return "CUDA headers are for kernels/cuda/";
  }
  if (opening == '<') return {};
  if (!target.starts_with("forge/")) return "includes are written from the root: \"forge/...\"";
  if (path.starts_with("src/forge/server/client/") && !target.starts_with("forge/base/") &&
      !target.starts_with("forge/server/client/")) {
    return "server/client measures any server: it shares nothing with ours but the wire";
  }
  const std::string other = split(target, '/')[1];
  // include/forge is the public API, of engine; what it says of errors holds for every layer.
  if (split(target, '/').size() == 2 && other != "build_info.h") {
    if (other == "result.h" || layer == "engine" || ladder().at(layer).contains("engine"))
      return {};
    return fmt::format("{} may not include the public API", layer);
  }
  if (other == layer || ladder().at(layer).contains(other)) return {};
  return fmt::format("{} may not include {}", layer, other);
}

}  // namespace

Findings check_includes(std::string_view path, std::string_view text) {
  Findings findings;
  const auto parts = split(path, '/');
  if (parts.size() < 4 || !ladder().contains(parts[2])) {
    return {fmt::format("{}:1: not in a directory that the ladder knows", path)};
  }
  static const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  const auto lines = split(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(lines[i], match, include)) continue;
    const std::string fault = include_fault(path, parts[2], *match[1].first, match[2]);
    if (!fault.empty()) findings.push_back(fmt::format("{}:{}: {}", path, i + 1, fault));
  }
  return findings;
}

Findings check_opening(std::string_view path, std::string_view text) {
  auto lines = split(text, '\n');
  if (lines[0].starts_with("#!")) lines.erase(lines.begin());
  if (lines.empty()) lines.emplace_back();
  const bool is_cpp = ends_with_any(path, {".h", "_test.cpp", "_bench.cpp", ".cu", ".cuh", ".S"});
  const bool is_script = ends_with_any(path, {".sh", ".py", ".cmake"});
  Findings findings;
  const bool opens_well = is_cpp ? lines[0].starts_with("// ")
                                 : lines[0].starts_with("# ") ||
                                       (path.ends_with(".py") && lines[0].starts_with("\"\"\""));
  if ((is_cpp || is_script) && !opens_well) {
    findings.push_back(
        fmt::format("{}:1: does not open with a comment that says what it is", path));
  }
  if (path.ends_with(".h") && text.find("\n#pragma once\n") == std::string_view::npos) {
    findings.push_back(fmt::format("{}:2: no #pragma once", path));
  }
  return findings;
}

Findings check_path_names(std::string_view path) {
  static constexpr std::array<std::string_view, 6> kEmptyNames{"utils",   "util",   "common",
                                                               "helpers", "helper", "misc"};
  Findings findings;
  for (const auto& part : split(path, '/')) {
    const std::string stem = part.substr(0, part.find('.'));
    if (std::find(kEmptyNames.begin(), kEmptyNames.end(), stem) != kEmptyNames.end()) {
      findings.push_back(fmt::format("{}:1: \"{}\" says nothing; name the thing", path, part));
    }
  }
  return findings;
}

Findings check_machine_paths(std::string_view path, std::string_view text) {
  static const std::regex machine_path(R"((^|[^\w.}~-])/(work|home|root|farm|Users)/)");
  Findings findings;
  const auto lines = split(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (std::regex_search(lines[i], machine_path)) {
      findings.push_back(fmt::format("{}:{}: a path of one machine", path, i + 1));
    }
  }
  return findings;
}

Findings check_whitespace(std::string_view path, std::string_view text) {
  Findings findings;
  if (!text.ends_with('\n') || text.ends_with("\n\n")) {
    findings.push_back(fmt::format("{}: does not end with one line end", path));
  }
  const bool tabs_allowed = path.ends_with("Makefile");
  const auto lines = split(text, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto& line = lines[i];
    if (line.ends_with(' ') || line.ends_with('\t') || line.find('\r') != std::string::npos ||
        (!tabs_allowed && line.find('\t') != std::string::npos)) {
      findings.push_back(
          fmt::format("{}:{}: tab, carriage return or blank at the end", path, i + 1));
    }
  }
  return findings;
}

}  // namespace forge::tree
