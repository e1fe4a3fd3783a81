"""Where half the bits are also half the time: on devices that multiply in bfloat16, and nowhere else."""


def bf16_pays() -> bool:
    """Return whether the device that trains multiplies bfloat16 matrices natively.

    Elsewhere float32 is quicker: a processor without that takes ten times as long.
    """
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
