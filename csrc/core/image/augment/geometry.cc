#include "core/image/augment/geometry.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace mmcore::image {
namespace {

using Map = std::array<double, 6>;

// The pixel in which a coordinate lies; -1 for all that are negative.
int64_t Cell(double coordinate) {
  return coordinate < 0.0 ? -1 : static_cast<int64_t>(coordinate);
}

bool Inside(int64_t cell, size_t size) {
  return cell >= 0 && static_cast<size_t>(cell) < size;
}

// Neither axis depends on the other: columns are looked up once. Sums go step by step, which is how Pillow rounds.
void Scale(const Canvas& canvas, const Map& map, uint32_t* out) {
  std::vector<int64_t> columns(canvas.width);
  double x = map[2] + map[0] * 0.5;
  for (int64_t& column : columns) {
    column = Cell(x);
    x += map[0];
  }
  double y = map[5] + map[4] * 0.5;
  for (size_t row = 0; row < canvas.height; ++row, y += map[4], out += canvas.width) {
    const int64_t from = Cell(y);
    if (!Inside(from, canvas.height)) continue;
    const uint32_t* source = canvas.row(static_cast<size_t>(from));
    for (size_t i = 0; i < canvas.width; ++i) {
      if (Inside(columns[i], canvas.width)) out[i] = source[columns[i]];
    }
  }
}

// In 16 fractional bits, as Pillow computes where they suffice.
void AffineFixed(const Canvas& canvas, const Map& map, uint32_t* out) {
  const auto fixed = [](double value) { return static_cast<int64_t>(std::floor(value * 65536.0 + 0.5)); };
  const int64_t across_x = fixed(map[0]), down_x = fixed(map[1]), across_y = fixed(map[3]), down_y = fixed(map[4]);
  int64_t first_x = fixed(map[2] + map[0] * 0.5 + map[1] * 0.5);
  int64_t first_y = fixed(map[5] + map[3] * 0.5 + map[4] * 0.5);
  for (size_t row = 0; row < canvas.height; ++row, first_x += down_x, first_y += down_y) {
    int64_t x = first_x, y = first_y;
    for (size_t i = 0; i < canvas.width; ++i, ++out, x += across_x, y += across_y) {
      if (Inside(x >> 16, canvas.width) && Inside(y >> 16, canvas.height)) {
        *out = canvas.row(static_cast<size_t>(y >> 16))[x >> 16];
      }
    }
  }
}

void AffineDouble(const Canvas& canvas, const Map& map, uint32_t* out) {
  double first_x = map[2] + map[1] * 0.5 + map[0] * 0.5;
  double first_y = map[5] + map[4] * 0.5 + map[3] * 0.5;
  for (size_t row = 0; row < canvas.height; ++row, first_x += map[1], first_y += map[4]) {
    double x = first_x, y = first_y;
    for (size_t i = 0; i < canvas.width; ++i, ++out, x += map[0], y += map[3]) {
      if (Inside(Cell(x), canvas.width) && Inside(Cell(y), canvas.height)) {
        *out = canvas.row(static_cast<size_t>(Cell(y)))[Cell(x)];
      }
    }
  }
}

bool FitsFixed(const Canvas& canvas, const Map& map) {
  const auto width = static_cast<double>(canvas.width), height = static_cast<double>(canvas.height);
  const auto fits = [&](double x, double y) {
    return std::fabs(x * map[0] + y * map[1] + map[2]) < 32768.0 &&
           std::fabs(x * map[3] + y * map[4] + map[5]) < 32768.0;
  };
  return fits(0, 0) && fits(width, height) && fits(0, height) && fits(width, 0);
}

// Rounded to 15 decimals, exactly: the rest of the product decides where the product itself was rounded.
double RoundedTo15(double value) {
  const double magnitude = std::fabs(value);
  const double scaled = magnitude * 1e15;
  const double rest = std::fma(magnitude, 1e15, -scaled);
  double whole = std::floor(scaled);
  const double above = (scaled - whole - 0.5) + rest;
  if (above > 0.0 || (above == 0.0 && std::fmod(whole, 2.0) != 0.0)) whole += 1.0;
  return std::copysign(whole / 1e15, value);
}

void Turn(Canvas& canvas, bool counter_clockwise) {
  const size_t side = canvas.width;
  for (size_t y = 0; y < side; ++y) {
    for (size_t x = 0; x < side; ++x) {
      const size_t from = counter_clockwise ? x * side + (side - 1 - y) : (side - 1 - x) * side + y;
      canvas.spare[y * side + x] = canvas.pixels[from];
    }
  }
  canvas.Swap();
}

}  // namespace

void Mirror(Canvas& canvas) {
  for (size_t y = 0; y < canvas.height; ++y) std::reverse(canvas.row(y), canvas.row(y) + canvas.width);
}

void Affine(Canvas& canvas, const Map& map, uint32_t fill) {
  uint32_t* out = canvas.spare.data();
  std::fill_n(out, canvas.size(), fill);
  if (map[1] == 0.0 && map[3] == 0.0) {
    Scale(canvas, map, out);
  } else if (FitsFixed(canvas, map)) {
    AffineFixed(canvas, map, out);
  } else {
    AffineDouble(canvas, map, out);
  }
  canvas.Swap();
}

void Rotate(Canvas& canvas, double degrees, uint32_t fill) {
  constexpr double kRadians = 3.141592653589793 / 180.0;
  double angle = std::fmod(degrees, 360.0);
  if (angle < 0.0) angle += 360.0;
  if (angle == 0.0) return;
  if (angle == 180.0) return std::reverse(canvas.row(0), canvas.row(0) + canvas.size());
  if (canvas.width == canvas.height && (angle == 90.0 || angle == 270.0)) return Turn(canvas, angle == 90.0);
  const double radians = -(angle * kRadians);
  const double cosine = RoundedTo15(std::cos(radians)), sine = RoundedTo15(std::sin(radians));
  const double x = static_cast<double>(canvas.width) / 2, y = static_cast<double>(canvas.height) / 2;
  const Map map = {cosine,  sine,   cosine * -x + sine * -y + 0.0 + x,
                   -sine, cosine, -sine * -x + cosine * -y + 0.0 + y};
  Affine(canvas, map, fill);
}

}  // namespace mmcore::image
