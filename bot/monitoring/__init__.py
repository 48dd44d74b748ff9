"""What an operator sees: health, metrics, traces and logs."""
