// Variables of a loop body, macro body or other inner block.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// A handful of variables and the scope outside of it; null outside means the template's top level.
class Scope {
 public:
  [[nodiscard]] Scope* outer() const { return outer_; }

  [[nodiscard]] const Value* find(int32_t name) const {
    for (const auto& variable : variables_) {
      if (variable.first == name) return &variable.second;
    }
    return nullptr;
  }

  void set(int32_t name, Value value) {
    for (auto& variable : variables_) {
      if (variable.first == name) {
        variable.second = std::move(value);
        return;
      }
    }
    variables_.emplace_back(name, std::move(value));
  }

  void clear() { variables_.clear(); }

 private:
  friend class ScopePool;
  Scope* outer_ = nullptr;
  bool is_captured_ = false;
  std::vector<std::pair<int32_t, Value>> variables_;
};

/// Owns the scopes of a rendering and hands them out again, except those that a macro refers to,
/// which stay as they are until the end.
class ScopePool {
 public:
  Scope* acquire(Scope* outer) {
    if (free_.empty()) {
      all_.push_back(std::make_unique<Scope>());
      free_.push_back(all_.back().get());
    }
    Scope* scope = free_.back();
    free_.pop_back();
    scope->outer_ = outer;
    return scope;
  }

  void release(Scope* scope) {
    if (scope->is_captured_) return;
    scope->clear();
    free_.push_back(scope);
  }

  /// Marks the scope and those outside of it as referred to by a macro.
  static void capture(Scope* scope) {
    for (; scope != nullptr && !scope->is_captured_; scope = scope->outer_) {
      scope->is_captured_ = true;
    }
  }

 private:
  std::vector<std::unique_ptr<Scope>> all_;
  std::vector<Scope*> free_;
};

/// A scope for the guard's lifetime.
class ScopeGuard {
 public:
  ScopeGuard(ScopePool& pool, Scope* outer) : pool_(pool), scope_(pool.acquire(outer)) {}
  ~ScopeGuard() { pool_.release(scope_); }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;
  [[nodiscard]] Scope* get() const { return scope_; }
  Scope* operator->() const { return scope_; }

 private:
  ScopePool& pool_;
  Scope* scope_;
};

}  // namespace forge::text::jinja
