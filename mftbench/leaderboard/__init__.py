"""From rows to tables: aggregation, comparisons and the formats that a paper needs."""
