"""Text metrics for judges, on the scale 0..1: sentence BLEU-4 and chrF, both by sacrebleu."""

from __future__ import annotations

from collections.abc import Sequence


def bleu(candidate: str, references: Sequence[str]) -> float:
    """Give sentence BLEU-4 with exponential smoothing and 13a tokens (Post 2018).

    Sentence BLEU uses the candidate's own n-gram orders where it is shorter than four tokens.
    """
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True)
    return _share(float(metric.sentence_score(candidate, list(references)).score))


def chrf(candidate: str, references: Sequence[str]) -> float:
    """Give sentence chrF2: character n-grams up to six, no word n-grams (Popovic 2015)."""
    from sacrebleu.metrics.chrf import CHRF

    return _share(float(CHRF().sentence_score(candidate, list(references)).score))


def _share(points: float) -> float:
    """Turn 0..100 into 0..1; sacrebleu's 100 is sometimes 100.00000000000004."""
    return min(1.0, points / 100.0)
