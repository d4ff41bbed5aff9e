"""From verdicts to numbers: pass@k, text metrics, intervals and paired comparisons."""
