// EXPECT: twinkle: each method of TWINKLE_REMOTE_CLASS stands in parentheses with its options
#include <twinkle/twinkle.h>

class Giver {
 public:
  int Give() { return 1; }
  int More() { return 2; }
};
TWINKLE_REMOTE_CLASS(Giver, (), (Give), More)
