"""Running what a model wrote: backends, supervision, verdicts."""
