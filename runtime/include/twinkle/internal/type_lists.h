// How the Type of a list, a dict or a set is made. Included by type_impl.h only.
#pragma once

#include <twinkle/internal/type.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinkle::internal {

template <class T>
constexpr void DescribeVector(Type& t) {
  using I = typename T::value_type;
  t.item = &kType<I>;
  t.length = [](const void* p) { return As<T>(p).size(); };
  t.data = [](void* p) -> void* { return As<T>(p).data(); };
  t.resize = [](void* p, size_t n) -> void* {
    As<T>(p).clear();
    As<T>(p).resize(n);
    return As<T>(p).data();
  };
  t.join = [](void* to, void* const* parts, size_t count, bool move) {
    size_t total = 0;
    for (size_t i = 0; i < count; ++i) total += As<T>(parts[i]).size();
    T& out = As<T>(to);
    out.reserve(out.size() + total);
    for (size_t i = 0; i < count; ++i) {
      for (auto& item : As<T>(parts[i])) {  // std::make_move_iterator costs a third of a second to compile
        if (move || !std::is_copy_constructible_v<I>) {
          out.push_back(std::move(item));
        } else if constexpr (std::is_copy_constructible_v<I>) {
          out.push_back(item);
        }
      }
    }
  };
  if constexpr (std::is_copy_constructible_v<I>) {
    t.copy_rows = [](void* to, const void* from, size_t begin, size_t end) {
      const T& source = As<T>(from);
      As<T>(to).assign(source.begin() + begin, source.begin() + end);
    };
  }
  if constexpr (FactsOf<I>().bulk) {
    t.assign = [](void* p, const void* items, size_t n) {
      const I* first = static_cast<const I*>(items);
      As<T>(p).assign(first, first + n);
    };
  }
}

template <class T>
constexpr void DescribeArrayRef(Type& t) {
  using I = typename T::value_type;
  t.item = &kType<I>;
  t.length = [](const void* p) { return As<T>(p).size(); };
  t.data = [](void* p) -> void* { return const_cast<I*>(As<T>(p).data()); };
  t.resize = [](void* p, size_t n) -> void* {
    As<T>(p) = T(std::vector<I>(n));
    return const_cast<I*>(As<T>(p).data());
  };
  t.owner = [](const void* p) { return As<T>(p).owner(); };
  t.copy_rows = [](void* to, const void* from, size_t begin, size_t end) { As<T>(to) = As<T>(from).Rows(begin, end); };
  t.join = [](void* to, void* const* parts, size_t count, bool) {
    std::vector<I> all;
    for (size_t i = 0; i < count; ++i) all.insert(all.end(), As<T>(parts[i]).begin(), As<T>(parts[i]).end());
    As<T>(to) = T(std::move(all));
  };
  if constexpr (FactsOf<I>().bulk) {
    t.assign = [](void* p, const void* items, size_t n) {
      const I* first = static_cast<const I*>(items);
      As<T>(p) = T(std::vector<I>(first, first + n));
    };
    t.adopt = [](void* p, std::shared_ptr<const void> owner, const void* items, size_t n) {
      As<T>(p) = T(std::move(owner), static_cast<const I*>(items), n);
    };
  }
}

template <class T>
constexpr void DescribeBools(Type& t) {
  t.length = [](const void* p) { return As<T>(p).size(); };
  t.resize = [](void* p, size_t n) -> void* {
    As<T>(p).assign(n, false);
    return nullptr;
  };
  t.to_bytes = [](const void* p) { return std::string(As<T>(p).begin(), As<T>(p).end()); };
  t.from_bytes = [](void* p, const void* bytes, size_t n) {
    const char* first = static_cast<const char*>(bytes);
    for (size_t i = 0; i < n; ++i) {
      if (first[i] != 0 && first[i] != 1) return false;
    }
    As<T>(p).assign(first, first + n);
    return true;
  };
  t.copy_rows = [](void* to, const void* from, size_t begin, size_t end) {
    As<T>(to).assign(As<T>(from).begin() + begin, As<T>(from).begin() + end);
  };
  t.join = [](void* to, void* const* parts, size_t count, bool) {
    T& out = As<T>(to);
    for (size_t i = 0; i < count; ++i) out.insert(out.end(), As<T>(parts[i]).begin(), As<T>(parts[i]).end());
  };
}

template <class T>
constexpr void DescribeDict(Type& t) {
  using K = typename T::key_type;
  using V = typename T::mapped_type;
  t.key = &kType<K>;
  t.item = &kType<V>;
  t.string_key = std::is_same_v<K, std::string>;
  t.length = [](const void* p) { return As<T>(p).size(); };
  t.each = [](void* p, Entries& entries) {
    for (auto& [key, value] : As<T>(p)) {
      if (!entries.visit(entries, const_cast<K*>(&key), &value)) return;
    }
  };
  t.fill = [](void* p, size_t count, Entries& entries) {
    As<T>(p).clear();
    for (; count > 0; --count) {
      K key{};
      V value{};
      if (!entries.visit(entries, &key, &value) || !As<T>(p).emplace(std::move(key), std::move(value)).second)
        return false;
    }
    return true;
  };
}

template <class T>
constexpr void DescribeSet(Type& t) {
  using K = typename T::key_type;
  t.key = &kType<K>;
  t.length = [](const void* p) { return As<T>(p).size(); };
  t.each = [](void* p, Entries& entries) {
    for (const K& key : As<T>(p)) {
      if (!entries.visit(entries, const_cast<K*>(&key), nullptr)) return;
    }
  };
  t.fill = [](void* p, size_t count, Entries& entries) {
    As<T>(p).clear();
    for (; count > 0; --count) {
      K key{};
      if (!entries.visit(entries, &key, nullptr) || !As<T>(p).insert(std::move(key)).second) return false;
    }
    return true;
  };
}

}  // namespace twinkle::internal
