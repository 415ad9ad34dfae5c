// How a Type is made. Included by type.h only.
#pragma once

#include <absl/status/statusor.h>
#include <twinkle/internal/assigned.h>
#include <twinkle/internal/type.h>
#include <twinkle/internal/type_lists.h>

namespace twinkle::internal {

template <bool loading>
template <class M>
void Archive<loading>::One(M& member) {
  if constexpr (requires {
                  member.name;
                  member.value;
                }) {  // cereal::make_nvp
    One(member.value);
  } else if constexpr (requires { member.base_ptr; }) {  // cereal::base_class
    One(*member.base_ptr);
  } else {
    using U = std::remove_cv_t<M>;
    visitor->visit(*visitor, const_cast<U*>(&member), kType<U>);
  }
}

template <class V>
struct Alternatives;
template <class... I>
struct Alternatives<std::variant<I...>> {
  using V = std::variant<I...>;
  static constexpr const Type* kTypes[] = {&kType<I>...};
  static void* Data(void* object) {
    return std::visit([](auto& held) -> void* { return &held; }, As<V>(object));
  }
  static void* Make(void* object, size_t which) {
    return MakeOne(As<V>(object), which, std::index_sequence_for<I...>{});
  }
  template <size_t... N>
  static void* MakeOne(V& variant, size_t which, std::index_sequence<N...>) {
    void* made = nullptr;
    ((which == N ? void(made = &variant.template emplace<N>()) : void()), ...);
    return made;
  }
};

template <class T>
void VisitMembers(void* object, Visitor& visitor) {
  auto each = [&](auto&... m) {
    (visitor.visit(visitor, const_cast<std::remove_cvref_t<decltype(m)>*>(&m), kType<std::remove_cvref_t<decltype(m)>>),
     ...);
  };
  if constexpr (KnownShape<T>::kKind == Kind::kTuple) {
    std::apply(each, As<T>(object));
  } else {
    WithMembers(As<T>(object), each);
  }
}

template <class T, class A, class C = cereal::access>
void CallPrivateSerialize(T& object, A& archive) {
  C::member_serialize(archive, object);
}
template <class T, class A>
void CallSerialize(T& object, A archive) {
  if constexpr (PublicSerialize<T>) {
    object.serialize(archive);
  } else if constexpr (CerealFriend<T>) {
    CallPrivateSerialize<T>(object, archive);
  } else {
    serialize(archive, object);
  }
}

// ---- one function a kind
template <class T>
constexpr void DescribeLifetime(Type& t) {
  if constexpr (std::is_array_v<T>) {
    using I = ArrayItem<T>;
    t.copy = [](void* to, const void* from) {
      for (size_t i = 0; i < std::extent_v<T>; ++i) kType<I>.copy(&As<T>(to)[i], &As<T>(from)[i]);
    };
    t.move = [](void* to, void* from) {
      for (size_t i = 0; i < std::extent_v<T>; ++i) kType<I>.move(&As<T>(to)[i], &As<T>(from)[i]);
    };
  } else {
    t.make = []() -> std::shared_ptr<void> { return std::make_shared<T>(); };
    if constexpr (kCopies<T>) {
      t.copy = [](void* to, const void* from) { As<T>(to) = As<T>(from); };
    }
    if constexpr (std::is_move_assignable_v<T>) {
      t.move = [](void* to, void* from) { As<T>(to) = std::move(As<T>(from)); };
    }
  }
}

template <class T>
constexpr void DescribeOptional(Type& t) {
  t.item = &kType<typename T::value_type>;
  t.length = [](const void* p) { return static_cast<size_t>(As<T>(p).has_value()); };
  t.data = [](void* p) -> void* { return &*As<T>(p); };
  t.resize = [](void* p, size_t n) -> void* {
    if (n > 0) return &As<T>(p).emplace();
    As<T>(p).reset();
    return nullptr;
  };
}

template <class T>
constexpr void DescribeClass(Type& t) {
  t.whole = SaysWhole<T>;
  t.members = [](void* p, Visitor& visitor) {
    if (visitor.loading) {
      CallSerialize(As<T>(p), Archive<true>{&visitor});
    } else {
      CallSerialize(As<T>(p), Archive<false>{&visitor});
    }
  };
  if constexpr (requires(const T& object) { absl::Status(object.Validate()); }) {
    t.validate = [](const void* p) -> absl::Status { return As<T>(p).Validate(); };
  }
  if constexpr (HasRows<T>) {
    t.has_rows = true;
    t.rows = [](const void* p) { return static_cast<int64_t>(As<T>(p).rows()); };
    t.slice = [](void* to, const void* from, int64_t begin, int64_t end) { As<T>(to) = As<T>(from).Slice(begin, end); };
  }
}

template <class T>
constexpr void DescribeForeign(Type& t) {
  using Wire = typename CodecOf<T>::Wire;
  t.item = &kType<Wire>;
  t.to_wire = [](const void* p) -> std::shared_ptr<void> {
    return std::make_shared<Wire>(CodecOf<T>::ToWire(As<T>(p)));
  };
  t.from_wire = [](void* to, void* wire) -> absl::Status {
    absl::StatusOr<T> value = CodecOf<T>::FromWire(std::move(As<Wire>(wire)));
    if (!value.ok()) return std::move(value).status();
    As<T>(to) = *std::move(value);
    return absl::OkStatus();
  };
}

template <class T>
constexpr Type MakeType() {
  constexpr Kind kKind = KindOf<T>();
  constexpr Facts kFacts = FactsOf<T>();
  Type t{.kind = kKind,
         .number = NumberKindOf<T>(),
         .bulk = kFacts.bulk,
         .can_split = kFacts.can_split,
         .size = kFacts.size,
         .align = alignof(T),
         .least = kFacts.least,
         .name = absl::string_view(TypeName<T>().data(), TypeName<T>().size())};
  DescribeLifetime<T>(t);
  if constexpr (kKind == Kind::kList) {
    if constexpr (CheckAssigned<typename T::value_type>()) DescribeVector<T>(t);
  } else if constexpr (kKind == Kind::kArrayRef) {
    if constexpr (CheckAssigned<typename T::value_type>()) DescribeArrayRef<T>(t);
  } else if constexpr (kKind == Kind::kBools) {
    DescribeBools<T>(t);
  } else if constexpr (kKind == Kind::kArray) {
    t.item = &kType<ArrayItem<T>>;
    t.count = sizeof(T) / sizeof(ArrayItem<T>);
  } else if constexpr (kKind == Kind::kTuple || kKind == Kind::kRecord) {
    t.empty = std::is_empty_v<T>;
    t.members = &VisitMembers<T>;
    if constexpr (kKind == Kind::kTuple) {
      t.count = std::tuple_size_v<T>;
    } else if constexpr (!std::is_empty_v<T>) {
      t.count = MembersOf<T>::kCount;
    }
  } else if constexpr (kKind == Kind::kClass) {
    DescribeClass<T>(t);
  } else if constexpr (kKind == Kind::kDict) {
    DescribeDict<T>(t);
  } else if constexpr (kKind == Kind::kSet) {
    DescribeSet<T>(t);
  } else if constexpr (kKind == Kind::kOptional) {
    DescribeOptional<T>(t);
  } else if constexpr (kKind == Kind::kVariant) {
    t.alternatives = Alternatives<T>::kTypes;
    t.count = std::variant_size_v<T>;
    t.length = [](const void* p) { return As<T>(p).index(); };
    t.data = &Alternatives<T>::Data;
    t.resize = &Alternatives<T>::Make;
  } else if constexpr (kKind == Kind::kMessage) {
    t.to_bytes = [](const void* p) { return As<T>(p).SerializeAsString(); };
    t.from_bytes = [](void* p, const void* bytes, size_t n) {
      return As<T>(p).ParseFromArray(bytes, static_cast<int>(n));
    };
  } else if constexpr (kKind == Kind::kForeign) {
    DescribeForeign<T>(t);
  }
  return t;
}

}  // namespace twinkle::internal
