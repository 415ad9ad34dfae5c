// FIRST: twinkle: New: the class is abstract, so there are no objects of it
#include <twinkle/twinkle.h>

class Shape {
 public:
  virtual ~Shape() = default;
  virtual double Area() = 0;
};
TWINKLE_REMOTE_CLASS(Shape, (), (Area))

auto shape = twinkle::New<Shape>({});
