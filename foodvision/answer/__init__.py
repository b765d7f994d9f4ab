"""Photo to prediction: everything that serving needs, without torch or fastai."""
