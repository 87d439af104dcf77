#include "forge/formats/safetensors_writer.h"

#include <array>
#include <string_view>
#include <unordered_set>

#include "forge/base/bytes.h"
#include "forge/base/json.h"
#include "forge/base/utf8.h"
#include "forge/formats/output_file.h"
#include "forge/formats/quote.h"
#include "forge/formats/safetensors_dtype.h"

namespace forge::formats {
namespace {

Status check_tensors(const std::string& path, std::span<const NamedTensor> tensors) {
  std::unordered_set<std::string_view> names;
  for (const NamedTensor& tensor : tensors) {
    if (safetensors_name(tensor.view.dtype).empty()) {
      return make_error("{}: tensor {}: type {}, expected F32, F16 or BF16", path,
                        quote(tensor.name), name(tensor.view.dtype));
    }
    if (tensor.name == "__metadata__" || find_invalid_utf8(tensor.name)) {
      return make_error("{}: tensor {}: expected another name, in valid UTF-8", path,
                        quote(tensor.name));
    }
    if (!names.insert(tensor.name).second) {
      return make_error("{}: tensor {}: added twice, expected once", path, quote(tensor.name));
    }
  }
  return {};
}

std::string header_of(std::span<const NamedTensor> tensors,
                      const std::map<std::string, std::string>& metadata) {
  json::Writer writer;
  writer.begin_object();
  if (!metadata.empty()) {
    writer.key("__metadata__").begin_object();
    for (const auto& [key, value] : metadata) writer.member(key, value);
    writer.end_object();
  }
  int64_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    writer.key(tensor.name).begin_object();
    writer.key("dtype").value(safetensors_name(tensor.view.dtype));
    writer.key("shape").begin_array();
    for (int i = 0; i < tensor.view.shape.rank(); ++i) writer.value(tensor.view.shape[i]);
    writer.end_array();
    writer.key("data_offsets").begin_array().value(offset);
    offset += tensor.view.bytes();
    writer.value(offset).end_array().end_object();
  }
  std::string header = writer.end_object().text();
  header.resize((header.size() + 7) / 8 * 8,
                ' ');  // keeps the data 8-byte aligned, as the original
  return header;
}

}  // namespace

Status write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                         const std::map<std::string, std::string>& metadata) {
  FORGE_TRY_STATUS(check_tensors(path, tensors));
  const std::string header = header_of(tensors, metadata);
  std::array<std::byte, 8> length{};
  store_le(length.data(), static_cast<uint64_t>(header.size()));
  FORGE_TRY(OutputFile file, OutputFile::create(path));
  file.write(length);
  file.write(std::as_bytes(std::span(header)));
  for (const NamedTensor& tensor : tensors) {
    file.write({tensor.view.data, static_cast<size_t>(tensor.view.bytes())});
  }
  return file.commit();
}

}  // namespace forge::formats
