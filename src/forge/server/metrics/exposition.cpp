#include "forge/server/metrics/exposition.h"

#include <fmt/format.h>

#include <cmath>

namespace forge::server {
namespace {

std::string_view name(Exposition::Type type) {
  switch (type) {
    case Exposition::Type::kCounter:
      return "counter";
    case Exposition::Type::kGauge:
      return "gauge";
    case Exposition::Type::kHistogram:
      return "histogram";
  }
  return "untyped";
}

enum class Quotes { kPlain, kEscaped };

std::string escape(std::string_view text, Quotes quotes) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped += "\\n";
    } else {
      if (c == '\\' || (c == '"' && quotes == Quotes::kEscaped)) escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

/// Go's notation, in which the format is defined.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

Exposition& Exposition::family(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape(help, Quotes::kPlain), name,
                       server::name(type));
  return *this;
}

void Exposition::line(std::string_view suffix, Labels labels, double value) {
  text_ += name_;
  text_ += suffix;
  char opening = '{';
  for (const Label& label : labels) {
    text_ += fmt::format("{}{}=\"{}\"", opening, label.name, escape(label.value, Quotes::kEscaped));
    opening = ',';
  }
  if (labels.size() > 0) text_ += '}';
  text_ += fmt::format(" {}\n", number(value));
}

Exposition& Exposition::sample(double value, Labels labels) {
  line("", labels, value);
  return *this;
}

Exposition& Exposition::histogram(const Histogram& histogram) {
  const Histogram::Snapshot snapshot = histogram.snapshot();
  uint64_t n = 0;
  for (size_t i = 0; i < snapshot.counts.size(); ++i) {
    n += snapshot.counts[i];
    const double bound = i < histogram.bounds().size() ? histogram.bounds()[i] : HUGE_VAL;
    line("_bucket", {{"le", number(bound)}}, static_cast<double>(n));
  }
  line("_sum", {}, snapshot.sum);
  line("_count", {}, static_cast<double>(n));
  return *this;
}

void Exposition::counter(std::string_view name, std::string_view help, double value) {
  family(name, Type::kCounter, help).sample(value);
}

void Exposition::gauge(std::string_view name, std::string_view help, double value) {
  family(name, Type::kGauge, help).sample(value);
}

void Exposition::histogram(std::string_view name, std::string_view help,
                           const Histogram& histogram) {
  family(name, Type::kHistogram, help).histogram(histogram);
}

}  // namespace forge::server
