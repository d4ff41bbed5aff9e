"""One self-contained HTML page of a study: tables, curves, and every sample behind them."""
