// For comparison with the original tools, which the Python scripts beside this file drive:
//   formats_interop write DIR   writes sample.gguf (v3), sample-v2.gguf, split parts,
//   sample.safetensors formats_interop dump FILE   prints what Forge reads in a .gguf or
//   .safetensors file, as JSON
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "forge/base/json.h"
#include "forge/formats/byte_cursor.h"
#include "forge/formats/gguf.h"
#include "forge/formats/safetensors.h"
#include "tests/formats/sample_files.h"

namespace {

using forge::Status;
using namespace forge::formats;  // NOLINT: a program about one namespace

void dump_value(const GgufValue& value, forge::json::Writer& out) {
  if (const auto text = value.as_string()) {
    out.value(*text);
  } else if (const auto flag = value.as_bool()) {
    out.value(*flag);
  } else if (const auto number = value.as_int()) {
    out.value(*number);
  } else if (value.type() == GgufType::kUint64) {
    out.value(forge::load_le<uint64_t>(value.payload().data()));
  } else if (const auto real = value.as_double()) {
    out.value(*real);
  }
}

void dump_array(const GgufValue& value, forge::json::Writer& out) {
  out.begin_array();
  if (const auto strings = value.as_strings()) {
    for (const auto text : *strings) out.value(text);
  } else if (const auto flags = value.as_bools()) {
    for (const bool flag : *flags) out.value(flag);
  } else if (const auto numbers = value.as_ints()) {
    for (const int64_t number : *numbers) out.value(number);
  } else if (value.element_type() == GgufType::kUint64) {
    ByteCursor cursor(value.payload());
    while (const auto number = cursor.try_read<uint64_t>()) out.value(*number);
  } else if (const auto reals = value.as_doubles()) {
    for (const double real : *reals) out.value(real);
  }
  out.end_array();
}

void dump_tensors(const TensorSet& set, forge::json::Writer& out) {
  out.key("tensors").begin_array();
  for (const NamedTensor& tensor : set.tensors()) {
    std::string hex;
    for (int64_t i = 0; i < tensor.view.bytes(); ++i) {
      hex += fmt::format("{:02x}", std::to_integer<int>(tensor.view.data[i]));
    }
    out.begin_object().member("name", std::string_view(tensor.name));
    out.member("dtype", forge::name(tensor.view.dtype)).key("shape").begin_array();
    for (int i = 0; i < tensor.view.shape.rank(); ++i) out.value(tensor.view.shape[i]);
    out.end_array().member("data", std::string_view(hex)).end_object();
  }
  out.end_array();
}

Status dump_gguf(const std::string& path, forge::json::Writer& out) {
  FORGE_TRY(const GgufFile gguf, GgufFile::open(path));
  out.key("metadata").begin_object();
  for (const auto& [key, value] : gguf.metadata()) {
    const bool is_array = value.type() == GgufType::kArray;
    out.key(key).begin_object().member("type", name(value.type()));
    out.member("element", name(value.element_type())).key("value");
    is_array ? dump_array(value, out) : dump_value(value, out);
    out.end_object();
  }
  out.end_object();
  dump_tensors(gguf.tensors(), out);
  return {};
}

Status dump(const std::string& path) {
  forge::json::Writer out;
  out.begin_object();
  if (path.ends_with(".gguf")) {
    FORGE_TRY_STATUS(dump_gguf(path, out));
  } else {
    FORGE_TRY(const TensorSet set, open_safetensors(path));
    dump_tensors(set, out);
  }
  out.end_object();
  std::puts(out.text().c_str());
  return {};
}

Status write(const std::string& dir) {
  FORGE_TRY_STATUS(write_sample_gguf(dir + "/sample.gguf", 3));
  FORGE_TRY_STATUS(write_sample_gguf(dir + "/sample-v2.gguf", 2));
  const SampleTensors sample = sample_gguf_tensors();
  GgufWriter writer;
  put_sample_metadata(writer);
  for (const NamedTensor& tensor : sample.tensors()) writer.add_tensor(tensor.name, tensor.view);
  FORGE_TRY(const auto paths, writer.write_split(dir + "/split", {.max_tensors = 4}));
  return write_sample_safetensors(dir + "/sample.safetensors");
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_write = argc == 3 && std::strcmp(argv[1], "write") == 0;
  const bool is_dump = argc == 3 && std::strcmp(argv[1], "dump") == 0;
  if (!is_write && !is_dump) {
    std::fputs("usage: formats_interop write DIR | dump FILE\n", stderr);
    return 2;
  }
  const Status status = is_write ? write(argv[2]) : dump(argv[2]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return 1;
}
