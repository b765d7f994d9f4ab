"""Training, evaluating and compiling models: what the notebooks need beyond fastai."""
