"""Photo to Prediction: all that serving needs, without torch or fastai."""
