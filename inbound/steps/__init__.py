"""The steps of the pipeline: each looks at a whole batch and notes on every letter what it decided."""
