// TWINKLE_REMOTE_CLASS: declares a class remote.
//
//   TWINKLE_REMOTE_CLASS(Policy, (Execute::kAll),
//       (Generate, Dispatch::kSliceDp, Collect::kFlattenDp),
//       (Save, Dispatch::kAll, Execute::kFirst))
//
// It stands once, in the namespace of the class, after the class's definition. The second argument holds the options of
// the class (may be empty); each further one holds a method and its options. The class itself needs no change. A method
// that uses a Remote of its own class is declared in the class, and defined after this macro, where the class is
// remote.
#pragma once

#include <twinkle/internal/remote_method.h>
#include <twinkle/remote.h>

// Preprocessor: m(c, o, STRIPPED element) for each element (recursion by deferred expansion; up to 256 elements).
#define TWINKLE_PARENS_ ()
#define TWINKLE_EXPAND_(...) TWINKLE_EXPAND4_(TWINKLE_EXPAND4_(TWINKLE_EXPAND4_(TWINKLE_EXPAND4_(__VA_ARGS__))))
#define TWINKLE_EXPAND4_(...) TWINKLE_EXPAND3_(TWINKLE_EXPAND3_(TWINKLE_EXPAND3_(TWINKLE_EXPAND3_(__VA_ARGS__))))
#define TWINKLE_EXPAND3_(...) TWINKLE_EXPAND2_(TWINKLE_EXPAND2_(TWINKLE_EXPAND2_(TWINKLE_EXPAND2_(__VA_ARGS__))))
#define TWINKLE_EXPAND2_(...) TWINKLE_EXPAND1_(TWINKLE_EXPAND1_(TWINKLE_EXPAND1_(TWINKLE_EXPAND1_(__VA_ARGS__))))
#define TWINKLE_EXPAND1_(...) __VA_ARGS__
#define TWINKLE_EACH_(m, c, o, ...) __VA_OPT__(TWINKLE_EXPAND_(TWINKLE_EACH_STEP_(m, c, o, __VA_ARGS__)))
#define TWINKLE_EACH_STEP_(m, c, o, a, ...) \
  TWINKLE_ELEMENT_(m, c, o, a) __VA_OPT__(TWINKLE_EACH_AGAIN_ TWINKLE_PARENS_(m, c, o, __VA_ARGS__))
#define TWINKLE_EACH_AGAIN_() TWINKLE_EACH_STEP_
#define TWINKLE_STRIP_(...) __VA_ARGS__

// For an element without parentheses the macro m##BARE_ is used in place of m.
#define TWINKLE_ELEMENT_(m, c, o, a) TWINKLE_JOIN_(TWINKLE_ELEMENT_, TWINKLE_HAS_PARENS_(a))(m, c, o, a)
#define TWINKLE_ELEMENT_1(m, c, o, a) m(c, o, TWINKLE_STRIP_ a)
#define TWINKLE_ELEMENT_0(m, c, o, a) m##BARE_
#define TWINKLE_HAS_PARENS_(a) TWINKLE_SECOND_(TWINKLE_PROBE_ a, 0, ~)  // 1 or 0
#define TWINKLE_PROBE_(...) ~, 1
#define TWINKLE_SECOND_(...) TWINKLE_SECOND2_(__VA_ARGS__)
#define TWINKLE_SECOND2_(a, b, ...) b
#define TWINKLE_JOIN_(a, b) TWINKLE_JOIN2_(a, b)
#define TWINKLE_JOIN2_(a, b) a##b
#define TWINKLE_OPTIONS_1(o) o
#define TWINKLE_OPTIONS_0(o) ()

#define TWINKLE_MEMBER_(c, o, ...) TWINKLE_MEMBER2_(c, o, __VA_ARGS__)
#define TWINKLE_MEMBER2_(c, o, name, ...)                                                                    \
  static_assert(!::twinkle::internal::IsReservedName(#name),                                                 \
                "twinkle: a remote method cannot be named component or Rank: handles have members of these " \
                "names; give it a wrapper with another name");                                               \
  ::twinkle::internal::RemoteMethod<typename TwinkleList::template Named<#name>> name{this->twinkle_raw()};
#define TWINKLE_MEMBER_BARE_
#define TWINKLE_RANK_MEMBER_(c, o, ...) TWINKLE_RANK_MEMBER2_(c, o, __VA_ARGS__)
#define TWINKLE_RANK_MEMBER2_(c, o, name, ...)                                                           \
  ::twinkle::internal::RankMethod<typename TwinkleList::template Named<#name>> name{this->twinkle_raw(), \
                                                                                    this->twinkle_rank()};
#define TWINKLE_RANK_MEMBER_BARE_

#define TWINKLE_NAME_(c, o, ...) TWINKLE_NAME2_(c, o, __VA_ARGS__)
#define TWINKLE_NAME2_(c, o, name, ...) #name,
#define TWINKLE_NAME_BARE_

// A pointer to the method. The expression is dependent, so that a class without exactly one method of that name gives a
// readable error.
#define TWINKLE_POINTER_(c, o, ...) TWINKLE_POINTER2_(c, o, __VA_ARGS__)
#define TWINKLE_POINTER2_(c, o, name, ...)                                 \
  [[maybe_unused]] constexpr auto twinkle_to_##name = [](auto class_tag) { \
    using TwinkleClass = typename decltype(class_tag)::Class;              \
    if constexpr (requires { &TwinkleClass::name; }) {                     \
      return &TwinkleClass::name;                                          \
    } else {                                                               \
      return ::twinkle::internal::NoSuchMethod();                          \
    }                                                                      \
  }(::twinkle::internal::Tag<c>());
#define TWINKLE_POINTER_BARE_                                                                           \
  static_assert(false,                                                                                  \
                "twinkle: each method of TWINKLE_REMOTE_CLASS stands in parentheses with its options: " \
                "TWINKLE_REMOTE_CLASS(Class, (class options), (Method1, options of it), (Method2))");
#define TWINKLE_LIST_(c, o, ...) TWINKLE_LIST2_(c, o, __VA_ARGS__)
#define TWINKLE_LIST2_(c, o, name, ...)                                                        \
  , ::twinkle::internal::Method<c, ::twinkle::internal::ClassOptions<TWINKLE_STRIP_ o>, #name, \
                                twinkle_to_##name __VA_OPT__(, ) __VA_ARGS__>
#define TWINKLE_LIST_BARE_

// The arguments are a class, its options, and at least one method.
#define TWINKLE_REMOTE_CLASS(c, ...) \
  TWINKLE_JOIN_COUNT_(TWINKLE_DECLARE_, TWINKLE_HAS_TWO_(__VA_ARGS__))(c, __VA_ARGS__)
#define TWINKLE_JOIN_COUNT_(a, b) TWINKLE_JOIN2_COUNT_(a, b)
#define TWINKLE_JOIN2_COUNT_(a, b) a##b
#define TWINKLE_HAS_TWO_(...) TWINKLE_HAS_TWO2_(__VA_ARGS__)
#define TWINKLE_HAS_TWO2_(a, ...) TWINKLE_SECOND_(__VA_OPT__(~, 1, ) ~, 0, ~)  // 1 or 0
#define TWINKLE_DECLARE_0(...)                                                                                \
  static_assert(                                                                                              \
      false,                                                                                                  \
      "twinkle: TWINKLE_REMOTE_CLASS wants the class, its options in parentheses (() where there are none), " \
      "and at least one method: TWINKLE_REMOTE_CLASS(Class, (class options), (Method, options of it))");
#define TWINKLE_DECLARE_1(c, options, ...)                                                                    \
  static_assert(                                                                                              \
      TWINKLE_HAS_PARENS_(options),                                                                           \
      "twinkle: the second argument of TWINKLE_REMOTE_CLASS is the class's options in parentheses, () where " \
      "there are none");                                                                                      \
  TWINKLE_REMOTE_CLASS2_(c, TWINKLE_JOIN_(TWINKLE_OPTIONS_, TWINKLE_HAS_PARENS_(options))(options), __VA_ARGS__)
// The methods' types are made outside the structs: inside, an option called as a method is (Collect) would name that.
#define TWINKLE_REMOTE_CLASS2_(c, options, ...)                                                                     \
  [[maybe_unused]] inline auto TwinkleMethodsHook(::twinkle::internal::Tag<c>) {                                    \
    static_assert(::twinkle::internal::IsComplete<c>,                                                               \
                  "twinkle: TWINKLE_REMOTE_CLASS stands behind the class's definition, and here the class is only " \
                  "declared: include the header that defines it");                                                  \
    static_assert(::twinkle::internal::AreDifferent({TWINKLE_EACH_(TWINKLE_NAME_, c, options, __VA_ARGS__)}),       \
                  "twinkle: a method stands twice in this TWINKLE_REMOTE_CLASS; one that shall be called with "     \
                  "other options too gets a wrapper with a name of its own");                                       \
    TWINKLE_EACH_(TWINKLE_POINTER_, c, options, __VA_ARGS__)                                                        \
    return ::twinkle::internal::MethodList<::twinkle::internal::ClassOptions<TWINKLE_STRIP_ options> TWINKLE_EACH_( \
        TWINKLE_LIST_, c, options, __VA_ARGS__)>{};                                                                 \
  }                                                                                                                 \
  [[maybe_unused]] inline auto TwinkleRemoteHook(::twinkle::internal::Tag<c> tag) {                                 \
    using TwinkleList = decltype(TwinkleMethodsHook(tag));                                                          \
    struct Methods : ::twinkle::internal::RemoteBase {                                                              \
      using RemoteBase::RemoteBase;                                                                                 \
      TWINKLE_EACH_(TWINKLE_MEMBER_, c, options, __VA_ARGS__)                                                       \
    };                                                                                                              \
    return Methods(nullptr);                                                                                        \
  }                                                                                                                 \
  [[maybe_unused]] inline auto TwinkleRankHook(::twinkle::internal::Tag<c> tag) {                                   \
    using TwinkleList = decltype(TwinkleMethodsHook(tag));                                                          \
    struct Methods : ::twinkle::internal::RankBase {                                                                \
      using RankBase::RankBase;                                                                                     \
      TWINKLE_EACH_(TWINKLE_RANK_MEMBER_, c, options, __VA_ARGS__)                                                  \
    };                                                                                                              \
    return Methods(nullptr, 0);                                                                                     \
  }
