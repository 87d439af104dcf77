// Trusted: the bounds written in runtime.h and parser.h, and the grammar of Jinja 3.1.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "forge/text/jinja/template.h"

namespace forge::text::jinja {
namespace {

std::string repeat(std::string_view part, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += part;
  return out;
}

/// The message of a template that must fail, or "" where it does not.
std::string failure(const std::string& source, const Limits& limits = {}) {
  const auto compiled = Template::compile(source, "t");
  if (!compiled.ok()) return compiled.error().message;
  RenderOptions options;
  options.limits = limits;
  const auto text = compiled->render({}, options);
  return text.ok() ? std::string() : text.error().message;
}

TEST(JinjaLimits, syntax_errors_name_the_line) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{{ 1 +", "t: line 1: expected an expression, found the end of the template"},
      {"a\n{% if x %}b", "t: line 2: a block without its 'endif'"},
      {"\n{% endif %}", "t: line 2: unknown statement 'endif'"},
      {"{% for x y %}", "t: line 1: expected 'in', found 'y'"},
      {"{{ (1, 2] }}", "t: line 1: unexpected ']', expected ')'"},
      {"{{ 'abc }}", "t: line 1: a string without its closing '"},
      {"{# abc", "t: line 1: a comment without its '#}'"},
      {"{% raw %}abc", "t: line 1: a raw block without its endraw"},
      {"{{ a ? b }}", "t: line 1: unexpected character '?'"},
      {"{% include 'x' %}",
       "t: line 1: 'include' needs other templates, which a chat template has not"},
      {"{% set 1 = 2 %}", "t: line 1: only names can be assigned to"},
      {"{% set true = 2 %}", "t: line 1: only names can be assigned to"},
      {"{% break %}", "t: line 1: 'break' outside of a loop"},
      {"{% for i in x %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
       "t: line 1: 'break' outside of a loop"},
      {"{{ f(a=1, 2) }}", "t: line 1: arguments of a call in an invalid order"},
      {"{% macro m(a=1, b) %}{% endmacro %}",
       "t: line 1: the parameter 'b' needs a default, since the one before it has one"},
      {"{{ x is string is none }}", "t: line 1: tests cannot be chained with 'is'"},
      {"{{ 99999999999999999999 }}",
       "t: line 1: the integer 99999999999999999999 does not fit 64 bits"},
      {"{{ '\\ud800' }}", "t: line 1: a \\u escape that is no character"},
      {"{% if %}{% endif %}", "t: line 1: expected an expression, found '%}'"},
      {"{{ }}", "t: line 1: expected an expression, found '}}'"},
  };
  for (const auto& [source, message] : cases) EXPECT_EQ(failure(source), message) << source;
}

TEST(JinjaLimits, deep_templates_are_refused) {
  const std::string too_deep = "t: line 1: more than 100 levels of nesting";
  for (const int depth : {101, 5000, 40'000}) {
    EXPECT_EQ(failure("{{ " + repeat("(", depth) + "1" + repeat(")", depth) + " }}"), too_deep);
    EXPECT_EQ(failure("{{ " + repeat("[", depth) + "1" + repeat("]", depth) + " }}"), too_deep);
    EXPECT_EQ(failure("{{ " + repeat("{1:", depth) + "1" + repeat("}", depth) + " }}"), too_deep);
    EXPECT_EQ(failure("{{ " + repeat("-", depth) + " 1 }}").substr(0, 10), "t: line 1:");
    EXPECT_EQ(failure("{{ " + repeat("not ", depth) + "1 }}"), too_deep);
    EXPECT_EQ(failure("{{ " + repeat("1 if 1 else ", depth) + "1 }}"), too_deep);
    EXPECT_EQ(failure(repeat("{% if 1 %}", depth) + repeat("{% endif %}", depth)), too_deep);
    EXPECT_EQ(failure("{{ x" + repeat("[x", depth) + repeat("]", depth) + " }}"), too_deep);
    EXPECT_EQ(failure("{{ x" + repeat("(x", depth) + repeat(")", depth) + " }}"), too_deep);
  }
}

TEST(JinjaLimits, long_chains_are_not_deep) {
  EXPECT_EQ(failure("{{ 1" + repeat(" + 1", 20'000) + " }}"), "");
  EXPECT_EQ(failure("{{ 'a'" + repeat(" ~ 'a'", 20'000) + " }}"), "");
  EXPECT_EQ(failure("{{ 1" + repeat(" and 1", 20'000) + " }}"), "");
  EXPECT_EQ(failure("{% if 0 %}" + repeat("{% elif 0 %}", 20'000) + "{% endif %}"), "");
  // Chains of attributes and filters do nest; they run into the bound on evaluation.
  EXPECT_EQ(failure("{{ 1" + repeat("|abs", 20'000) + " }}"),
            "t: line 1: more than 800 levels of nesting or recursion");
  EXPECT_EQ(failure("{{ x" + repeat(".x", 20'000) + " }}"),
            "t: line 1: more than 800 levels of nesting or recursion");
  EXPECT_EQ(failure("{{ 1" + repeat("|abs", 300) + " }}"), "");
}

TEST(JinjaLimits, recursion_ends) {
  const std::string too_deep = "t: line 1: more than 800 levels of nesting or recursion";
  EXPECT_EQ(failure("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), too_deep);
  EXPECT_EQ(failure("{% macro m(a=m()) %}{% endmacro %}{{ m() }}"), too_deep);
  EXPECT_EQ(failure("{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}"), too_deep);
  EXPECT_EQ(
      failure("{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}"),
      too_deep);
}

TEST(JinjaLimits, values_that_contain_themselves_end) {
  const std::string too_deep = "t: line 1: more than 800 levels of nesting or recursion";
  const std::string ns = "{% set ns = namespace() %}{% set ns.x = ns %}{% set ns.l = [ns] %}";
  EXPECT_EQ(failure(ns + "{{ ns }}"), too_deep);
  const std::string list = "{% set l = [] %}{% set _ = l.append(l) %}";
  EXPECT_EQ(failure(list + "{{ l }}"), too_deep);
  EXPECT_EQ(failure(list + "{{ l|tojson }}"), too_deep);
  EXPECT_EQ(failure(list + "{% set m = [] %}{% set _ = m.append(m) %}{{ l == m }}"), too_deep);
  EXPECT_EQ(failure(list + "{% set m = [] %}{% set _ = m.append(m) %}{{ l < m }}"), too_deep);
  EXPECT_EQ(failure(list + "{% for x in l %}{% if l|length > 5 %}{% break %}{% endif %}"
                           "{% set _ = l.append(1) %}{% endfor %}"),
            "");
  Limits limits;
  limits.max_steps = 1'000'000;
  EXPECT_EQ(
      failure("{% set l = [1] %}{% for x in l %}{% set _ = l.append(1) %}{% endfor %}", limits),
      "t: line 1: the template took more than 1000000 steps (an endless loop?)");
}

TEST(JinjaLimits, long_chains_of_objects_are_freed) {
  EXPECT_EQ(failure("{% set ns = namespace(x=[]) %}{% for i in range(100000) %}"
                    "{% set ns.x = [ns.x] %}{% endfor %}"),
            "");
  EXPECT_EQ(failure("{% set ns = namespace(x=()) %}{% for i in range(100000) %}"
                    "{% set ns.x = (ns.x,) %}{% endfor %}{{ {ns.x: 1} }}"),
            "t: line 1: unhashable type: 'tuple'");
}

TEST(JinjaLimits, large_results_are_refused_before_they_are_made) {
  EXPECT_NE(failure("{{ 'x' * 1000000000 }}").find("a string of 1000000000 bytes"),
            std::string::npos);
  EXPECT_NE(failure("{{ 'xx' * 9223372036854775807 }}"), "");
  EXPECT_NE(failure("{{ [1] * 1000000000 }}"), "");
  EXPECT_EQ(failure("{{ range(100001) }}"), "t: line 1: range too big: more than 100000 elements");
  EXPECT_NE(failure("{{ range(-9223372036854775807, 9223372036854775807) }}"), "");
  EXPECT_EQ(
      failure("{{ range(0, 9223372036854775807, 4611686018427387904)[0:2:9223372036854775807] }}"),
      "");
  EXPECT_NE(failure("{{ '%999999999d' % 1 }}"), "");
  EXPECT_NE(failure("{{ '%*d' % (999999999, 1) }}"), "");
  EXPECT_NE(failure("{{ '{:999999999}'.format(1) }}"), "");
  EXPECT_NE(failure("{{ 'x'.center(999999999) }}"), "");
  EXPECT_NE(failure("{{ 'x'|center(999999999) }}"), "");
  EXPECT_NE(failure("{{ 'x'|indent(999999999) }}"), "");
  EXPECT_NE(failure("{{ [1]|batch(999999999, 0)|list }}"), "");
  EXPECT_NE(failure("{{ [1]|slice(999999999)|list }}"), "");
  EXPECT_NE(failure("{{ [1]|tojson(indent=999999999) }}"), "");
  EXPECT_NE(failure("{% set s = 'x' * 10000000 %}{{ s.replace('', s) }}"), "");
  EXPECT_NE(failure("{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(99) %}"
                    "{% set ns.s = ns.s + ns.s %}{% endfor %}"),
            "");
  EXPECT_NE(failure("{% set ns = namespace(l=[1]) %}{% for i in range(99) %}"
                    "{% set ns.l = ns.l + ns.l %}{% endfor %}"),
            "");
  EXPECT_NE(failure("{% set s = 'x' * 10000000 %}{% for i in range(99) %}{{ s }}{% endfor %}"), "");
}

TEST(JinjaLimits, steps_are_counted) {
  const std::string loops =
      "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
  Limits limits;
  limits.max_steps = 3'000'000;
  EXPECT_EQ(failure(loops, limits),
            "t: line 1: the template took more than 3000000 steps (an endless loop?)");
  limits.max_steps = 1000;
  EXPECT_NE(failure("{{ range(100000)|sum }}", limits), "");
  EXPECT_NE(failure("{{ range(100000)|map('string')|join }}", limits), "");
  EXPECT_NE(failure("{{ ('a' * 1000000) in ('a' * 1000000) }}", limits), "");
  limits.max_output_bytes = 10;
  EXPECT_EQ(failure("12345678901", limits), "t: line 1: more than 10 bytes of output");
}

TEST(JinjaLimits, substring_search_is_linear) {
  // 8 MB against 4 MB of the same letter: hours where every position is compared in full.
  EXPECT_EQ(failure("{% set a = 'a' * 8000000 %}{% set b = 'a' * 4000000 + 'b' %}{{ b in a }}"
                    "{{ a.find(b) }}{{ a.count(b) }}{{ a.split(b)|length }}"),
            "");
  EXPECT_NE(failure("{% set a = 'a' * 8000000 %}{% set b = 'a' * 4000000 + 'b' %}{{ a.rfind(b) }}"),
            "");
}

TEST(JinjaLimits, a_template_renders_on_many_threads) {
  const auto compiled = Template::compile(
      "{% macro m(x) %}{{ x ~ 'a' }}{% endmacro %}{% for i in range(200) %}{{ m(i) }}{% endfor %}",
      "t");
  ASSERT_TRUE(compiled.ok());
  const std::string expected = *compiled->render({}, {});
  std::vector<std::thread> threads;
  std::vector<int> n_equal(4, 0);
  for (size_t t = 0; t < n_equal.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) n_equal[t] += *compiled->render({}, {}) == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(n_equal, std::vector<int>(4, 20));
}

TEST(JinjaLimits, an_oversized_template_is_refused) {
  EXPECT_EQ(failure(std::string((1u << 20) + 1, 'x')),
            "t: line 1: a template of 1048577 bytes; the limit is 1048576");
}

}  // namespace
}  // namespace forge::text::jinja
