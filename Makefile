# `make app` serves the page; `make test` runs every test. Both install what they need first, and are quick again.

PYTHON ?= python3
PORT ?= 8866
BIN := .venv/bin

# Training photos and pretrained weights, where fastai and torch keep them, or a folder `shared` beside this one.
export FASTAI_HOME ?= $(abspath $(firstword $(wildcard ../shared/fastai) $(HOME)/.fastai))
export TORCH_HOME ?= $(abspath $(firstword $(wildcard ../shared/torch) $(HOME)/.cache/torch))

.PHONY: app test train lint clean

app: .venv/app
	@echo "FoodVision: http://localhost:$(PORT)"
	$(BIN)/voila foodvision.ipynb --no-browser --port=$(PORT)

test: .venv/all
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pytest

train: .venv/all
	$(BIN)/jupyter nbconvert --execute --inplace --to notebook train.ipynb
	$(MAKE) strip

# The pictures of the data sets are for research use: cells tagged "photos" keep no output.
strip: .venv/all
	$(BIN)/jupyter nbconvert --inplace --to notebook train.ipynb \
		--TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_all_outputs_tags photos

lint: .venv/all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/app: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --editable .
	@touch $@

.venv/all: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --editable ".[train,test]"
	@touch $@ .venv/app
