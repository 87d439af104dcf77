// A model that talks: the bundled one's folder with a chat template.
#pragma once

#include <fstream>
#include <string>
#include <string_view>

#include "forge/base/json.h"
#include "tests/cli/program.h"

namespace forge::cli {

inline constexpr std::string_view kChatMl =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ "
    "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' "
    "}}{% endif %}";

/// Puts a chat template into a copy of the stories folder.
inline std::string add_template(const std::string& model, std::string_view source) {
  std::string config = read_file(model + "/tokenizer_config.json");
  json::Writer text;
  text.value(source);
  config.insert(config.find('{') + 1, "\"chat_template\": " + text.text() + ",");
  std::ofstream(model + "/tokenizer_config.json", std::ios::binary) << config;
  return model;
}

/// The stories folder with a chat template in its tokenizer_config.json.
inline std::string folder_with_template(const TemporaryFolder& folder, std::string_view source) {
  return add_template(copy_stories_folder(folder), source);
}

}  // namespace forge::cli
