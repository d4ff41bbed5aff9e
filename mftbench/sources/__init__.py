"""Named data sets: what is shared by the tasks that learn from them or are evaluated on them."""
