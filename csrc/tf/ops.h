// The ops of the library, each registered by a function of its own file. All throw StatusError.
#ifndef MMCORE_TF_OPS_H_
#define MMCORE_TF_OPS_H_

namespace mmcore::tf {

void RegisterAttention();
void RegisterAugment();
void RegisterDecodePixels();
void RegisterDetokenize();
void RegisterImageHeader();
void RegisterImagePatches();
void RegisterMix();
void RegisterNorm();
void RegisterPack();
void RegisterResizeNormalize();
void RegisterSumOfSquares();
void RegisterTokenize();
void RegisterUpright();

}  // namespace mmcore::tf

#endif  // MMCORE_TF_OPS_H_
