#include "forge/model.h"

#include <algorithm>
#include <map>
#include <utility>

#include "forge/base/result.h"
#include "forge/engine/loaded_model.h"
#include "forge/models/parameter_count.h"

namespace forge {

struct Model::State {
  engine::LoadedModel loaded;
  ModelInfo info;
};

namespace {

/// The type that most of the checkpoint's bytes have.
std::string main_dtype(const models::Model& model) {
  std::map<DType, int64_t> bytes;
  for (const formats::NamedTensor& tensor : model.tensor_set().tensors()) {
    bytes[tensor.view.dtype] += tensor.view.bytes();
  }
  const auto most = std::max_element(
      bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? std::string() : std::string(forge::info(most->first).name);
}

ModelInfo describe(const engine::LoadedModel& loaded) {
  const models::ModelSpec& spec = loaded.spec();
  return {.name = loaded.name,
          .path = loaded.path,
          .architecture = spec.architecture,
          .dtype = main_dtype(*loaded.model),
          .n_parameters = models::parameter_count(*loaded.model),
          .n_layers = spec.n_layers,
          .hidden_dim = spec.hidden_dim,
          .vocab_size = spec.vocab_size,
          .context_len = spec.context_len,
          .bos_id = loaded.tokenizer.bos_id(),
          .eos_id = loaded.tokenizer.eos_id(),
          .end_ids = loaded.end_ids,
          .chat_template = loaded.tokenizer.chat_template(),
          .notes = spec.notes};
}

}  // namespace

Model::Model(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<Model> Model::load(const ModelOptions& options) {
  FORGE_TRY(const engine::ModelSource source, engine::resolve_model(options.path));
  FORGE_TRY(engine::LoadedModel loaded,
            engine::load_model(source, {.check_weights = options.check_weights,
                                        .allow_unknown_keys = options.allow_unknown_keys}));
  return from(std::move(loaded));
}

Model Model::from(engine::LoadedModel loaded) {
  ModelInfo info = describe(loaded);
  return Model(std::make_shared<const State>(State{std::move(loaded), std::move(info)}));
}

const ModelInfo& Model::info() const { return state_->info; }

std::vector<int32_t> Model::tokenize(std::string_view text, const TokenizeOptions& options) const {
  return state_->loaded.tokenizer.encode(
      text, {.add_special = options.add_special, .parse_special = options.parse_special});
}

std::string Model::detokenize(std::span<const int32_t> ids, bool skip_special) const {
  return state_->loaded.tokenizer.decode(ids, {.skip_special = skip_special});
}

std::string Model::token_bytes(int32_t id) const {
  return state_->loaded.tokenizer.token_bytes(id);
}

bool Model::is_special(int32_t id) const { return state_->loaded.tokenizer.is_special(id); }

std::optional<int32_t> Model::find_token(std::string_view spelling) const {
  return state_->loaded.tokenizer.id_of(spelling);
}

const engine::LoadedModel& Model::loaded() const { return state_->loaded; }

}  // namespace forge
