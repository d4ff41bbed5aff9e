"""The unbiased pass@k estimator of Chen et al. (2021), guarded where it says nothing.

The product form alone answers 1.0 for fewer than k samples, even if none of them passed.
"""

from __future__ import annotations

import math


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """Estimate the chance that at least one of k samples passes, from c passes among n samples.

    ``1 - C(n-c, k) / C(n, k)`` as a product, which stays exact for large n (arXiv 2107.03374,
    equation 1). None where n < k: the samples cannot tell. Raises ValueError for impossible counts.
    """
    if k < 1 or not 0 <= c <= n:
        raise ValueError(f"pass@{k} of {c} passes among {n} samples: need k >= 1 and 0 <= c <= n")
    if n < k:
        return None
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))
