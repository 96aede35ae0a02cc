// MmcoreImageHeader: an image file -> which decoder reads it, its orientation, and the file that the PNG decoder sees.
// What is damaged, too large, not allowed or not read in a graph is refused before any decoder allocates memory.
#include <algorithm>
#include <string>

#include "core/base/errors.h"
#include "core/image/file/header.h"
#include "core/image/file/pixels.h"
#include "core/image/file/png.h"
#include "tf/ops.h"
#include "tf/registration.h"

namespace mmcore::tf {
namespace {

using image::FileFormat;
using image::FileHeader;

// What the op calls the decoders; mmcore/ops/image_file.py has one branch for each, as few as there can be, since each
// costs time in every call. The last stand for JPEG at 1, 1/2, 1/4, 1/8 size; kTransparentPng is among them only where
// alpha is wanted.
enum Decoder : int32_t { kHere = 0, kPng = 1, kGreyPng16 = 2, kTransparentPng = 3 };

[[noreturn]] void RefuseKind(const std::string& kind) {
  throw DataError("the image is a " + kind + ", which is not read in a graph; read there are GIF, BMP, PNG and JPEG "
                  "(Huffman codes, 8 bits, grey or YCbCr). Convert it, or preprocess it with mmcore.image.Preprocessor");
}

// False where a file was cut off: codes never hold the bytes FF D9. One that ends in FF may still be read.
bool Ends(Span<const uint8_t> file) {
  for (size_t i = file.size(); i >= 2; --i) {
    if (file[i - 1] == 0xD9 && file[i - 2] == 0xFF) return true;
  }
  return file[file.size() - 1] == 0xFF;
}

// What TensorFlow's decoder would refuse as well, in words that cannot say which file it is.
void CheckJpeg(Span<const uint8_t> file, const FileHeader& header) {
  if (!header.complete || file[2] != 0xFF) {
    throw DataError("the JPEG image is damaged or cut short: no header that can be read");
  }
  if (header.precision != 8) RefuseKind("JPEG of " + std::to_string(header.precision) + " bits");
  if (header.components == 4) RefuseKind("CMYK JPEG");
  if (header.components != 1 && header.components != 3) {
    RefuseKind("JPEG of " + std::to_string(header.components) + " components");
  }
  if (header.frame > 0xC2) RefuseKind(header.frame >= 0xC9 ? "JPEG with arithmetic codes" : "lossless JPEG");
  if (!Ends(file)) throw DataError("the JPEG image is damaged or cut short: it has no end-of-image marker");
}

// By how many halvings a JPEG is scaled down: those that divide both sides and leave at least `side` pixels of the
// shorter one. As scale_ratio in mmcore/image/decode.py.
int32_t Halvings(const FileHeader& header, int64_t side) {
  if (side <= 0) return 0;
  const uint64_t shorter = std::min(header.height, header.width), both = header.height | header.width;
  for (int32_t halvings = 3; halvings > 0; --halvings) {
    const uint64_t ratio = uint64_t{1} << halvings;
    if (both % ratio == 0 && shorter / ratio >= static_cast<uint64_t>(side)) return halvings;
  }
  return 0;
}

class ImageHeaderKernel {
 public:
  explicit ImageHeaderKernel(const Attributes& attributes)
      : formats_(attributes.String("formats")),
        max_pixels_(attributes.Int("max_pixels")),
        fast_side_(attributes.Int("fast_side")),
        alpha_(attributes.Bool("alpha")) {
    if (max_pixels_ < 0) throw InvalidArgument("max_pixels must not be negative, got " + std::to_string(max_pixels_));
  }

  void Compute(const Run& run) const {
    const Tensor contents = run.Input(0), key = run.Input(1);
    if (contents.rank() != 0 || key.rank() != 0) {
      throw InvalidArgument("contents and key must be one string each, got shapes " + ShapeText(contents.shape()) +
                            " and " + ShapeText(key.shape()));
    }
    const std::string name(View(key.data<const TF_TString>()[0]));
    const std::string_view file = View(contents.data<const TF_TString>()[0]);
    try {
      Check(run, Span<const uint8_t>(reinterpret_cast<const uint8_t*>(file.data()), file.size()));
    } catch (const DataError& error) {
      throw DataError(name + ": " + error.what());
    } catch (const LimitError& error) {
      throw LimitError(name + ": " + error.what());
    }
  }

 private:
  void Check(const Run& run, Span<const uint8_t> file) const {
    if (file.empty()) throw DataError("the image file is empty");
    image::CheckFormat(file, formats_);
    const FileHeader header = image::ReadHeader(file);
    image::CheckCost(file, header, static_cast<uint64_t>(max_pixels_));
    std::string png;
    const int32_t decoder = DecoderOf(file, header, png);
    run.Output(0, TF_INT32, {}).data<int32_t>()[0] = decoder;
    run.Output(1, TF_INT32, {}).data<int32_t>()[0] = header.orientation;
    AssignNew(run.Output(2, TF_STRING, {}).data<TF_TString>()[0], png);
  }

  int32_t DecoderOf(Span<const uint8_t> file, const FileHeader& header, std::string& png) const {
    if (image::IsDecodedHere(header.format)) return kHere;
    if (header.format == FileFormat::kJpeg) {
      CheckJpeg(file, header);
      return (alpha_ ? kTransparentPng + 1 : kTransparentPng) + Halvings(header, fast_side_);
    }
    if (header.format != FileFormat::kPng) RefuseKind(std::string(image::FormatName(header.format)) + " file");
    if (header.orientation == image::kCompressedOrientation) RefuseKind("PNG file with compressed EXIF metadata");
    png = image::PngPixelsOnly(file);
    // Pillow takes no notice of a transparent shade among 16 bits.
    return header.grey16 ? kGreyPng16 : header.transparent && alpha_ ? kTransparentPng : kPng;
  }

  const std::string formats_;
  const int64_t max_pixels_, fast_side_;
  const bool alpha_;
};

void InferImageHeader(const Shapes& shapes) {
  shapes.CheckRank(0, 0, 0);
  shapes.CheckRank(1, 0, 0);
  for (int i = 0; i < 3; ++i) shapes.SetOutput(i, 0, 0, {});
}

}  // namespace

void RegisterImageHeader() {
  Register<ImageHeaderKernel, InferImageHeader>({"MmcoreImageHeader",
                                                 {"contents: string", "key: string"},
                                                 {"formats: string", "max_pixels: int", "fast_side: int = 0", "alpha: bool = false"},
                                                 {"decoder: int32", "orientation: int32", "png: string"}});
}

}  // namespace mmcore::tf
