// Generates one text:  generate [MODEL] [PROMPT]
//
// The shortest way through the library: load a model, start an engine, ask, print the text as it
// comes. MODEL is a Hugging Face folder, a .gguf file, or "bundled".
#include "forge/generate.h"

#include <cstdio>
#include <iostream>
#include <string>

#include "forge/engine.h"
#include "forge/model.h"

namespace {

/// Prints what went wrong; the program's exit code.
int fail(const forge::Error& error) {
  std::cerr << "generate: " << error.message << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "bundled";
  const std::string prompt = argc > 2 ? argv[2] : "Once upon a time";

  const auto model = forge::Model::load({.path = path});
  if (!model.ok()) return fail(model.error());
  const auto engine = forge::Engine::create(*model, {.context_len = 256, .max_sequences = 1});
  if (!engine.ok()) return fail(engine.error());

  forge::Request request;
  request.prompt = model->tokenize(prompt);
  request.max_tokens = 60;
  request.sampling.temperature = 0.8;
  request.sampling.seed = 1;
  request.n_logprobs = 0;  // of the chosen tokens only

  std::cout << prompt;
  const auto result =
      forge::generate(**engine, std::move(request), {.on_text = [](std::string_view text) {
        std::cout << text << std::flush;
        return true;  // false would end the generation
      }});
  if (!result.ok()) return fail(result.error());
  std::cout << "\n";

  double logprob = 0.0;
  for (const forge::PositionLogprobs& token : result->logprobs) logprob += token.chosen.logprob;
  std::cerr << result->stats.n_generated << " tokens (" << forge::describe(result->finish_reason)
            << "), log-probability " << logprob << ", " << result->stats.decode_rate()
            << " tokens/s\n";
  return 0;
}
