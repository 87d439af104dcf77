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

void write_chat_template_seeds(const std::string& dir) {
  using namespace std::string_literals;
  const std::string messages =
      R"([{"role":"user","content":"hi"},{"role":"assistant","content":"a"}])";
  const std::string loop =
      "{%- for m in messages %}{{ '<' ~ m['role'] }}{{ m.content | trim }}{% endfor -%}"
      "{% if add_generation_prompt %}<assistant{% endif %}";
  const std::string state =
      "{% macro show(x, n=2) %}{{ x | tojson(indent=n) }}{% endmacro %}{% set ns = namespace(k=0) "
      "%}"
      "{% for m in messages[::-1] %}{% set ns.k = ns.k + loop.index0 %}{{ show(m) }}{% endfor %}"
      "{% if ns.k > 9 %}{{ raise_exception('no') }}{% endif %}{{ strftime_now('%Y') }}";
  std::ofstream(dir + "/loop.jinja") << loop + "\0"s + messages;
  std::ofstream(dir + "/state.jinja") << state + "\0"s + messages;
}

void write_openai_request_seeds(const std::string& dir) {
  std::ofstream(dir + "/completion.json")
      << R"({"model":"m","prompt":["a",[1,2]],"max_tokens":5,"temperature":0.5,"top_p":1,"n":2,)"
      << R"("best_of":3,"echo":true,"logprobs":2,"stop":["x"],"seed":7,"logit_bias":{"5":-1},)"
      << R"("presence_penalty":1,"top_k":3,"min_tokens":1,"stop_token_ids":[3],"timeout":1})";
  std::ofstream(dir + "/chat.json")
      << R"({"messages":[{"role":"system","content":[{"type":"text","text":"s"}]},{"role":)"
      << R"("assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":)"
      << R"({"name":"f","arguments":"{}"}}]}],"stream":true,"stream_options":{"include_usage":)"
      << R"(true},"logprobs":true,"top_logprobs":2,"n":2,"chat_template_kwargs":{"a":1},)"
      << R"("continue_final_message":false,"max_completion_tokens":4})";
  std::ofstream(dir + "/embedding.json")
      << R"({"input":["a","b"],"dimensions":2,"encoding_format":"base64","pooling":"last"})";
  std::ofstream(dir + "/tokenize.json")
      << R"({"prompt":"a","add_special_tokens":false,"return_token_strs":true})";
  std::ofstream(dir + "/detokenize.json") << R"({"tokens":[1,256,97]})";
}

Status write_all(const std::string& dir) {
  for (const char* fuzzer : {"gguf", "safetensors", "json", "chat_template", "openai_request"}) {
    std::error_code error;
    std::filesystem::create_directories(dir + "/" + fuzzer, error);
    if (error) return forge::make_error("{}: {}", dir, error.message());
  }
  FORGE_TRY_STATUS(write_gguf_seeds(dir + "/gguf"));
  FORGE_TRY_STATUS(write_json_seeds(dir + "/json"));
  write_chat_template_seeds(dir + "/chat_template");
  write_openai_request_seeds(dir + "/openai_request");
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
