"""Training, evaluating and compiling models: what the notebooks need beyond fastai."""

import warnings

warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)  # fastai uses it when imported
