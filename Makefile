# `make app` serves the page; `make test` runs every test. Both install what they need first, and are quick again.

PYTHON ?= python3
PORT ?= 8866
BIN := .venv/bin
# An editable install copies the page's template to where Voilà looks for it, so a change there installs again.
INSTALLED := pyproject.toml $(wildcard requirements/*.txt foodvision/template/* foodvision/template/static/*)

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
	--custom-compile-command "make lock" --group build pyproject.toml
install = $(BIN)/pip install --quiet --require-hashes --requirement requirements/$(1).txt \
	&& $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .

.PHONY: app test train strip lint lock browser proxy clean

app: .venv/app
	@echo "FoodVision: http://localhost:$(PORT)"
	$(BIN)/python -m foodvision.serve foodvision.ipynb --no-browser --port=$(PORT)

test: .venv/all browser proxy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pytest

train: .venv/all
	$(BIN)/jupyter nbconvert --execute --inplace --to notebook train.ipynb
	$(MAKE) strip

# The data sets' pictures are for research use: cells tagged "strip" keep no output.
strip: .venv/all
	$(BIN)/jupyter nbconvert --inplace --to notebook train.ipynb \
		--TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_all_outputs_tags strip

lint: .venv/all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# requirements/*.txt hold every package with its hashes, for Linux, macOS and Windows and any Python from 3.11 on.
# `make lock UPGRADE=--upgrade` moves the packages that pyproject.toml does not name.
lock: .venv/all
	$(LOCK) --output-file requirements/serve.txt
	$(LOCK) --extra train --extra test --extra folder --output-file requirements/all.txt

clean:
	rm -rf .venv build

# Debian has Chromium; elsewhere playwright brings its own.
browser: .venv/all
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } > /dev/null \
		|| { grep -qs '^ID=debian' /etc/os-release && [ "$$(id -u)" = 0 ] \
			&& apt-get update --quiet && apt-get install --quiet --yes chromium; } \
		|| $(BIN)/playwright install --with-deps chromium \
		|| { echo "The tests drive the page in Chromium, which could not be installed. Install it, and run again."; exit 1; }

# Without it, the page behind a reverse proxy is not tested, and pytest says so.
proxy:
	@command -v nginx > /dev/null || { grep -qs '^ID=debian' /etc/os-release && [ "$$(id -u)" = 0 ] \
		&& apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends nginx-light; } || true

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/app: $(INSTALLED) | .venv/bin/pip
	$(call install,serve)
	@touch $@

.venv/all: $(INSTALLED) | .venv/bin/pip
	$(call install,all)
	@touch $@ .venv/app
