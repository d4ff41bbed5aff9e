"""Fine-tuning: one trainer for single, mixed and MFT, balanced over the global batch."""
