# Writes members_table.h: what an aggregate of N members looks like, for N = 1..128.
#   cmake -DOUTPUT=FILE -P GenerateMembersTable.cmake
set(text "// Generated. For N = 1..128: whether T{{} x N}, and one more, can be made; and a name for each of N members.\n")
set(braces "")
set(names "")
foreach(n RANGE 1 128)
  if(n GREATER 1)
    string(APPEND braces ",")
    string(APPEND names ",")
  endif()
  string(APPEND braces "{}")
  string(APPEND names "m${n}")
  string(APPEND text
    "template <class T> constexpr bool Takes(At<${n}>) { return requires { T{${braces}}; }; }\n"
    "template <class T> constexpr bool More(At<${n}>) { return requires(Any any) { T{${braces},any}; }; }\n"
    "template <class T, class F> constexpr decltype(auto) Tie(At<${n}>, T& t, F&& f) { auto& [${names}] = t; return f(${names}); }\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
