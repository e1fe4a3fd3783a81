"""Where half the bits are also half the time: on processors that multiply in bfloat16, and nowhere else."""


def bf16_pays() -> bool:
    """Return whether the device that trains multiplies bfloat16 matrices natively; elsewhere float32 is quicker."""
    import torch

    return torch.cuda.is_bf16_supported() if torch.cuda.is_available() else bf16_pays_on_processor()


def bf16_pays_on_processor() -> bool:
    """Return whether the processor multiplies bfloat16 matrices natively; without that they take ten times as long."""
    import torch

    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
