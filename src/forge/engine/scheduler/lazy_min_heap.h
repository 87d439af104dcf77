// A heap whose items' keys may grow behind its back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace forge::engine {

/// Where an item stands in its heap, and the key it was placed by.
template <typename Key>
struct HeapPlace {
  Key key{};
  size_t index = 0;
};

/// The least of many items, found without moving each whenever its key grows: an item is placed by
/// the key it had, which is a lower bound, and moved down when it comes to the top with a greater
/// one. T has a member `heap_place` (a HeapPlace<Key>) and `Key heap_key() const`, the key now. An
/// item is in one heap at most and stays where it is in memory meanwhile. A key that shrinks goes
/// unnoticed until the item is on top. push() may allocate.
template <typename T>
class LazyMinHeap {
 public:
  [[nodiscard]] bool is_empty() const { return items_.empty(); }

  void push(T& item) {
    item.heap_place.key = item.heap_key();
    items_.push_back(&item);
    place(items_.size() - 1, item);
    move_up(items_.size() - 1);
  }

  void remove(T& item) {
    const size_t hole = item.heap_place.index;
    T& last = *items_.back();
    items_.pop_back();
    if (&last == &item) return;
    place(hole, last);
    move_up(hole);
    move_down(last.heap_place.index);
  }

  /// The item with the least key; there must be one.
  [[nodiscard]] T& top() {
    while (true) {
      T& first = *items_.front();
      auto now = first.heap_key();
      if (!(first.heap_place.key < now)) return first;
      first.heap_place.key = std::move(now);
      move_down(0);
    }
  }

 private:
  [[nodiscard]] bool is_less(size_t a, size_t b) const {
    return items_[a]->heap_place.key < items_[b]->heap_place.key;
  }
  void place(size_t index, T& item) {
    items_[index] = &item;
    item.heap_place.index = index;
  }
  void swap(size_t a, size_t b) {
    T& item = *items_[a];
    place(a, *items_[b]);
    place(b, item);
  }
  void move_up(size_t i) {
    for (; i > 0 && is_less(i, (i - 1) / 2); i = (i - 1) / 2) swap(i, (i - 1) / 2);
  }
  void move_down(size_t i) {
    while (true) {
      size_t least = i;
      for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < items_.size(); ++child) {
        if (is_less(child, least)) least = child;
      }
      if (least == i) return;
      swap(i, least);
      i = least;
    }
  }

  std::vector<T*> items_;
};

}  // namespace forge::engine
