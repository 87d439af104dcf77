// The part of GgufWriter that cuts a model into several files.
#include <algorithm>
#include <utility>

#include "forge/base/bytes.h"
#include "forge/formats/gguf_part_name.h"
#include "forge/formats/gguf_writer.h"
#include "forge/formats/quote.h"

namespace forge::formats {
namespace {

constexpr size_t kMaxParts = 65535;  // split.count is a uint16

struct Range {
  size_t begin;
  size_t end;
};

// Cuts tensors of these sizes greedily, in order; at least one part, which may be empty.
std::vector<Range> plan_parts(std::span<const uint64_t> tensor_bytes,
                              const GgufSplitLimits& limits) {
  std::vector<Range> parts{{0, 0}};
  uint64_t part_bytes = 0;
  for (size_t i = 0; i < tensor_bytes.size(); ++i) {
    Range& part = parts.back();
    const auto sum = checked_add(part_bytes, tensor_bytes[i]);
    const bool fits = part.end - part.begin < limits.max_tensors && sum && *sum <= limits.max_bytes;
    if (fits || part.begin == part.end) {
      part.end = i + 1;
      part_bytes = sum.value_or(limits.max_bytes);
    } else {
      parts.push_back({i, i + 1});
      part_bytes = tensor_bytes[i];
    }
  }
  return parts;
}

}  // namespace

Result<std::vector<std::string>> GgufWriter::write_split(const std::string& prefix,
                                                         const GgufSplitLimits& limits,
                                                         uint32_t version) const {
  FORGE_TRY_STATUS(check(prefix, version));
  if (limits.max_tensors == 0 || limits.max_bytes == 0) {
    return make_error("{}: at most {} tensors and {} bytes a part, expected 1 or more of each",
                      prefix, limits.max_tensors, limits.max_bytes);
  }
  for (const Entry& entry : entries_) {
    if (entry.key == "split.no" || entry.key == "split.count" ||
        entry.key == "split.tensors.count") {
      return make_error("{}: key {}: put by the caller, expected to be left to write_split()",
                        prefix, quote(entry.key));
    }
  }
  std::vector<uint64_t> tensor_bytes;
  for (const Tensor& tensor : tensors_) {
    tensor_bytes.push_back(static_cast<uint64_t>(tensor.view.bytes()));
  }
  const std::vector<Range> parts = plan_parts(tensor_bytes, limits);
  if (parts.size() > kMaxParts || tensors_.size() > INT32_MAX) {
    return make_error("{}: {} parts of {} tensors, expected at most {} parts", prefix, parts.size(),
                      tensors_.size(), kMaxParts);
  }
  std::vector<std::string> paths;
  for (size_t i = 0; i < parts.size(); ++i) {
    GgufWriter part;
    if (i == 0) part.entries_ = entries_;
    if (i > 0) {  // the alignment holds for every part
      std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(part.entries_),
                   [](const Entry& entry) { return entry.key == "general.alignment"; });
    }
    part.put_uint16("split.no", static_cast<uint16_t>(i));
    part.put_uint16("split.count", static_cast<uint16_t>(parts.size()));
    part.put_int32("split.tensors.count", static_cast<int32_t>(tensors_.size()));
    const GgufPartName name{prefix, static_cast<int32_t>(i + 1),
                            static_cast<int32_t>(parts.size())};
    const auto tensors = std::span(tensors_).subspan(parts[i].begin, parts[i].end - parts[i].begin);
    FORGE_TRY_STATUS(part.write_part(name.to_string(), version, part.entries_, tensors));
    paths.push_back(name.to_string());
  }
  return paths;
}

}  // namespace forge::formats
