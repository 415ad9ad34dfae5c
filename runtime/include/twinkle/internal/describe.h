// Which C++ types can be sent, as what kind, and why others cannot.
#pragma once

#include <absl/types/span.h>
#include <twinkle/array.h>
#include <twinkle/bytes.h>
#include <twinkle/codec.h>
#include <twinkle/internal/default_codec.h>
#include <twinkle/internal/members.h>
#include <twinkle/tensor.h>
#include <twinkle/value.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace cereal {
class access;  // a friend of classes with a private serialize()
}

namespace twinkle::internal {

struct Type;
struct Visitor;

enum class Kind : uint8_t {
  kBits,  // numbers and enums; times of std::chrono, complex numbers
  kBool,
  kString,
  kBytes,
  kList,      // std::vector
  kArrayRef,  // twinkle::Array
  kBools,     // std::vector<bool>
  kArray,     // std::array, C array
  kTuple,     // std::tuple, std::pair
  kRecord,    // plain struct
  kClass,     // a class with serialize()
  kDict,
  kSet,
  kOptional,
  kVariant,
  kTensor,
  kValue,
  kMessage,  // a protobuf message
  kForeign,  // a type with a Codec<T>
};

// Whether the type is Lazy<T> or Remote<T>, which specialise this: they are whole arguments, never parts of values.
template <class T>
inline constexpr bool kIsReference = false;

// The archive that is passed to serialize(). `loading`: the members are about to be filled in.
template <bool loading>
struct Archive {
  using is_loading = std::bool_constant<loading>;
  using is_saving = std::bool_constant<!loading>;
  Visitor* visitor;
  template <class... M>
  Archive& operator()(M&&... members) {
    (One(members), ...);
    return *this;
  }
  template <class M>
  Archive& operator&(M&& member) {
    One(member);
    return *this;
  }

 private:
  template <class M>
  void One(M& member);
};

template <class T>
concept PublicSerialize = requires(T& object, Archive<false>& archive) {
  object.serialize(archive);
};
template <class T, class C = cereal::access>
concept CerealFriend = requires(T& object, Archive<false>& archive) {
  C::member_serialize(archive, object);
};
template <class T>
concept FreeSerialize = requires(T& object, Archive<false>& archive) {
  serialize(archive, object);
};
template <class T>
concept HasSerialize = PublicSerialize<T> || CerealFriend<T> || FreeSerialize<T>;
template <class T>
concept ProtobufMessage = requires(T& message, const T& constant, const void* bytes, int count) {
  constant.SerializeAsString();
  constant.ByteSizeLong();
  { message.ParseFromArray(bytes, count) } -> std::same_as<bool>;
};
template <class T>
concept HasCodec = requires {
  typename Codec<T>::Wire;
};
template <class T>
concept HasDefaultCodec = requires {
  typename DefaultCodec<T>::Wire;
};
template <class T>
using CodecOf = std::conditional_t<HasCodec<T>, Codec<T>, DefaultCodec<T>>;
template <class T>
concept HasRows = requires(const T& object, int64_t at) {
  { object.rows() } -> std::convertible_to<int64_t>;
  { object.Slice(at, at) } -> std::convertible_to<T>;
};
template <class T>
concept SaysWhole = requires {
  requires T::kTwinkleWhole;
};

template <Kind value>
struct KindConstant {
  static constexpr Kind kKind = value;
};
template <class T>
struct KnownShape : KindConstant<Kind::kRecord> {};
template <class I, class A>
struct KnownShape<std::vector<I, A>> : KindConstant<Kind::kList> {};
template <class A>
struct KnownShape<std::vector<bool, A>> : KindConstant<Kind::kBools> {};
template <class I>
struct KnownShape<Array<I>> : KindConstant<Kind::kArrayRef> {};
template <class I, size_t N>
struct KnownShape<std::array<I, N>> : KindConstant<Kind::kArray> {};
template <class I, size_t N>
struct KnownShape<I[N]> : KindConstant<Kind::kArray> {};
template <class... I>
struct KnownShape<std::tuple<I...>> : KindConstant<Kind::kTuple> {};
template <class A, class B>
struct KnownShape<std::pair<A, B>> : KindConstant<Kind::kTuple> {};
template <class K, class V, class C, class A>
struct KnownShape<std::map<K, V, C, A>> : KindConstant<Kind::kDict> {};
template <class K, class V, class H, class E, class A>
struct KnownShape<std::unordered_map<K, V, H, E, A>> : KindConstant<Kind::kDict> {};
template <class K, class C, class A>
struct KnownShape<std::set<K, C, A>> : KindConstant<Kind::kSet> {};
template <class K, class H, class E, class A>
struct KnownShape<std::unordered_set<K, H, E, A>> : KindConstant<Kind::kSet> {};
template <class I>
struct KnownShape<std::optional<I>> : KindConstant<Kind::kOptional> {};
template <class... I>
struct KnownShape<std::variant<I...>> : KindConstant<Kind::kVariant> {};
template <>
struct KnownShape<std::string> : KindConstant<Kind::kString> {};
template <>
struct KnownShape<Bytes> : KindConstant<Kind::kBytes> {};
template <>
struct KnownShape<Tensor> : KindConstant<Kind::kTensor> {};
template <>
struct KnownShape<Value> : KindConstant<Kind::kValue> {};

enum class Problem { kNone, kPointer, kReference, kBase, kNotAggregate, kMember, kBitField };
template <class T>
inline constexpr bool kIsView =
    std::is_pointer_v<T> || std::is_reference_v<T> || std::is_null_pointer_v<T> || std::is_same_v<T, std::string_view>;
template <class T, size_t n>
inline constexpr bool kIsView<std::span<T, n>> = true;
template <class T>
inline constexpr bool kIsView<absl::Span<T>> = true;
template <class T>
constexpr Problem WhyNot() {
  if constexpr (kIsView<T>) {
    return Problem::kPointer;
  } else if constexpr (kIsReference<T>) {
    return Problem::kReference;
  } else if constexpr (!std::is_aggregate_v<T> || std::is_union_v<T>) {
    return Problem::kNotAggregate;
  } else if constexpr (kHasBase<T>) {
    return Problem::kBase;
  } else if constexpr (!kIsPlain<T>) {
    return Problem::kMember;
  } else {
    return kHasBitField<T> ? Problem::kBitField : Problem::kNone;
  }
}

// Known shapes come first: a greedy serialize() found by argument-dependent look-up must not hijack them.
template <class T>
constexpr Kind KindOf() {
  if constexpr (std::is_same_v<T, bool>) {
    return Kind::kBool;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return Kind::kBits;
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    return Kind::kRecord;
  } else if constexpr (KnownShape<T>::kKind != Kind::kRecord) {
    return KnownShape<T>::kKind;
  } else if constexpr (HasCodec<T>) {
    return Kind::kForeign;
  } else if constexpr (kIsPlainBits<T>) {
    return Kind::kBits;
  } else if constexpr (HasDefaultCodec<T>) {
    return Kind::kForeign;
  } else if constexpr (MapLike<T>) {
    return Kind::kDict;
  } else if constexpr (SetLike<T>) {
    return Kind::kSet;
  } else if constexpr (HasSerialize<T>) {
    static_assert(
        std::is_default_constructible_v<T>,
        "twinkle: a class with serialize() also needs a default constructor, so that the receiver can make one");
    return Kind::kClass;
  } else if constexpr (ProtobufMessage<T>) {
    return Kind::kMessage;
  } else {
    constexpr Problem kWhy = WhyNot<T>();
    static_assert(kWhy != Problem::kPointer,
                  "twinkle: a pointer, reference or view means nothing in another process: send the value itself "
                  "(std::string, std::vector, std::optional)");
    static_assert(
        kWhy != Problem::kReference,
        "twinkle: a Lazy or Remote may be a whole argument, not a part of a value: give it a parameter of its own");
    static_assert(
        kWhy != Problem::kBase,
        "twinkle: a struct with a base class needs: template <class Archive> void serialize(Archive& archive) "
        "{ archive(member_of_base, own_member); }");
    static_assert(
        kWhy != Problem::kNotAggregate,
        "twinkle: this type cannot be sent: it has a constructor, private members or virtual functions. Make it a "
        "plain struct, or give it: template <class Archive> void serialize(Archive& archive) { archive(member1); }; of "
        "a type that is not yours copy what counts into a plain struct, or specialise twinkle::Codec<T>");
    static_assert(
        kWhy != Problem::kMember,
        "twinkle: a struct that is sent needs members that {} can make (no references, no explicit or missing "
        "default constructors), at most 128 of them");
    static_assert(
        kWhy != Problem::kBitField,
        "twinkle: a struct that is sent has no bit-fields, because nothing can refer to one: give it whole members "
        "(uint8_t, bool), or template <class Archive> void serialize(Archive& archive)");
    return kWhy == Problem::kNone ? Kind::kRecord : Kind::kBits;  // kBits: no errors after the one that matters
  }
}

}  // namespace twinkle::internal
