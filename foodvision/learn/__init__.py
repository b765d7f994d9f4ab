"""What train.ipynb needs beyond fastai: data, training, evaluation, compiling and exports."""
