// fuzz_seeds DIR: writes small valid files for the fuzzers to start from, DIR/<fuzzer>/<seed>.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/formats/sample_files.h"

namespace {

using forge::Status;
using forge::formats::GgufWriter;

Status write_gguf_seeds(const std::string& dir) {
  for (const uint32_t version : {2u, 3u}) {
    FORGE_TRY_STATUS(
        forge::formats::write_sample_gguf(fmt::format("{}/all-v{}.gguf", dir, version), version));
  }
  GgufWriter small;
  small.put_uint32("general.alignment", 8).put_string("k", "v");
  const auto sample = forge::formats::sample_gguf_tensors();
  small.add_tensor("w", sample.tensors().back().view);
  return small.write(dir + "/small.gguf");
}

Status write_json_seeds(const std::string& dir) {
  std::ofstream(dir + "/index.json")
      << R"({"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors"}})";
  std::ofstream(dir + "/values.json")
      << R"([null,true,-0.5e-3,12345678901234567890,"\u00e9\ud83c\udf0d\n",{"a":{},"b":[[]]}])";
  return {};
}

Status write_all(const std::string& dir) {
  for (const char* fuzzer : {"gguf", "safetensors", "json"}) {
    std::error_code error;
    std::filesystem::create_directories(dir + "/" + fuzzer, error);
    if (error) return forge::make_error("{}: {}", dir, error.message());
  }
  FORGE_TRY_STATUS(write_gguf_seeds(dir + "/gguf"));
  FORGE_TRY_STATUS(write_json_seeds(dir + "/json"));
  return forge::formats::write_sample_safetensors(dir + "/safetensors/all.safetensors");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds DIR\n", stderr);
    return 2;
  }
  const Status status = write_all(argv[1]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return 1;
}
