// The text that Prometheus reads.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "forge/server/metrics/metric.h"

namespace forge::server {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

/// Writes the text format 0.0.4 family by family: begin a family, then all its samples. Names must
/// be valid; help texts and label values may be anything. Source:
/// prometheus.io/docs/instrumenting/exposition_formats.
class Exposition {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  enum class Type { kCounter, kGauge, kHistogram };
  /// Families and samples of one value.
  Exposition& family(std::string_view name, Type type, std::string_view help);
  Exposition& sample(double value, Labels labels = {});
  /// The family must be a histogram: its cumulative buckets, sum and count.
  Exposition& histogram(const Histogram& histogram);

  /// A family of one sample without labels.
  void counter(std::string_view name, std::string_view help, double value);
  void gauge(std::string_view name, std::string_view help, double value);
  void histogram(std::string_view name, std::string_view help, const Histogram& histogram);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(std::string_view suffix, Labels labels, double value);

  std::string text_;
  std::string name_;
};

}  // namespace forge::server
