// EXPECT: twinkle: a struct that is sent needs members that {} can make
// EXPECT: at most 128
#include <twinkle/twinkle.h>

#define SIXTEEN(p)                                                                                                   \
  int p##0 = 0, p##1 = 0, p##2 = 0, p##3 = 0, p##4 = 0, p##5 = 0, p##6 = 0, p##7 = 0, p##8 = 0, p##9 = 0, p##10 = 0, \
      p##11 = 0, p##12 = 0, p##13 = 0, p##14 = 0, p##15 = 0;

struct Sent {
  SIXTEEN(a)
  SIXTEEN(b)
  SIXTEEN(c)
  SIXTEEN(d)
  SIXTEEN(e)
  SIXTEEN(f)
  SIXTEEN(g)
  SIXTEEN(h)
  int one_too_many = 0;
};

class Taker {
 public:
  void Take(const Sent& sent);
};
TWINKLE_REMOTE_CLASS(Taker, (), (Take))

auto taker = twinkle::New<Taker>({});
