// Tiny checkpoints of every family with a tokenizer of their own, in folders to convert or break.
#pragma once

#include <filesystem>
#include <string>

#include "tests/temporary_folder.h"

namespace forge::convert {

/// A byte-level BPE over printable ASCII: 94 characters, space, line end, four merges, one special
/// token; fits the 192 rows of the checkpoints.
inline std::string tiny_tokenizer_json() {
  std::string vocab;
  int id = 0;
  const auto add = [&](const std::string& piece) {
    vocab += (id == 0 ? "\"" : ",\"") + piece + "\":" + std::to_string(id);
    ++id;
  };
  for (char c = '!'; c <= '~'; ++c) {
    add(c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c));
  }
  for (const char* piece : {"\u0120", "\u010a", "th", "the", "\u0120a", "\u0120the"}) add(piece);
  const std::string end = std::to_string(id);
  add("<|end|>");
  return R"({"added_tokens":[{"id":)" + end +
         R"(,"content":"<|end|>","special":true}],"normalizer":null,)"
         R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},)"
         R"("post_processor":null,"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{)" +
         vocab + R"(},"merges":["t h","th e","\u0120 a","\u0120 the"]}})";
}

/// A writable copy of tests/models/goldens/NAME with that tokenizer, below folder.
inline std::string tiny_checkpoint(const TemporaryFolder& folder, const std::string& name) {
  namespace fs = std::filesystem;
  const fs::path from = fs::path(FORGE_SOURCE_DIR) / "tests/models/goldens" / name;
  const fs::path to = folder.path(name);
  fs::create_directories(to);
  for (const char* file : {"config.json", "model.safetensors"}) {
    fs::copy_file(from / file, to / file);
    fs::permissions(to / file, fs::perms::owner_write, fs::perm_options::add);
  }
  (void)folder.write(name + "/tokenizer.json", tiny_tokenizer_json());
  return to.string();
}

}  // namespace forge::convert
