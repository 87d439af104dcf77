// How many prompt tokens a step may take beside decodes, so that running texts keep their pace.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace forge::engine {

/// Sizes prompt chunks so that they take at most `share` of the time of a step that also decodes.
/// What it says never changes a result, only when it comes. One thread. Allocates nothing.
///
/// For each number of decodes (in classes, exact up to 8) it knows two things:
///  - What a step costs without prompts, from steps with one prompt token or none. Where prompts
///    never pause, the first chunk and every kProbeInterval-th is a single token, so that the
///    knowledge is there and does not grow old.
///  - The chunk that met the target last. It is controlled, not computed from a cost per token: the
///    first rows beside a decode are nearly free, and later ones cost more the longer their context
///    is. A chunk that was too cheap grows in proportion, at most to the double, and half the way
///    to one that has been too dear; where that turns out to be cheap now, beyond. One that was too
///    dear shrinks in proportion, at most to a half.
class PromptPacer {
 public:
  /// share: (0, 1]; 1 does not hold prompts back at all. max_tokens: of a step, at least 1.
  PromptPacer(double share, int32_t max_tokens);

  /// Most prompt tokens for a step with this many decodes (> 0): kMinChunk to max_tokens, or 1 to
  /// see what the step costs.
  [[nodiscard]] int32_t max_prompt_tokens(int32_t n_decodes) const;
  /// A step of n_decodes decode rows and n_prompt prompt rows took so long. Steps without decodes
  /// teach nothing.
  void observe(int32_t n_decodes, int32_t n_prompt, double seconds);

  static constexpr int32_t kMinChunk = 4;
  /// Costs prompts 1/64 of their pace.
  static constexpr int32_t kProbeInterval = 64;

 private:
  /// Of decode_seconds. As many steps are slower as are quicker, disturbed ones among them, and so
  /// it is with the chunks: a busy machine makes both slower and the chunks stay as they are.
  static constexpr int32_t kSamples = 5;

  /// Steps with about so many decodes.
  struct Class {
    double decode_seconds = 0.0;  // without prompts: the median of the samples
    std::array<double, kSamples> samples = {};
    int32_t n_samples = 0;
    int32_t n_since_sample = 0;  // steps
    double chunk = kMinChunk;
    double token_seconds = 0.0;  // what each token of the chunk adds, on average
    double too_dear = 0.0;       // chunk that cost too much lately; 0: none
  };
  /// Until so many are known, and where the chunk is at its least, every fourth one is a probe.
  static constexpr int32_t kFirstSamples = 4;
  static constexpr int32_t kShortInterval = 4;
  static size_t class_of(int32_t n_decodes);
  static void learn_decode_seconds(Class& steps, double seconds);
  void adapt(Class& steps, int32_t n_prompt, double seconds);

  double share_;
  double max_tokens_;
  // Four classes per doubling beyond eight decodes, up to 2^15 of them.
  static constexpr size_t kClasses = 56;
  std::array<Class, kClasses> classes_ = {};
};

}  // namespace forge::engine
