# `make app` serves the page; `make test` runs every test. Both install what they need first, and are quick again.

PYTHON ?= python3
PORT ?= 8866
BIN := .venv/bin
# An editable install copies the page's template to where Voilà looks for it, so a change there installs again.
INSTALLED := pyproject.toml $(wildcard requirements/*.txt foodvision/page/template/* foodvision/page/template/static/*)

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
	--custom-compile-command "make lock"
PROJECT = --group build pyproject.toml
install = $(BIN)/pip install --quiet --require-hashes --requirement requirements/$(1).txt \
	&& $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .

.PHONY: app test train strip bench reliability lint lock audit sbom licences browser proxy clean

app: .venv/app
	@echo "FoodVision: http://localhost:$(PORT)"
	$(BIN)/foodvision serve foodvision.ipynb --no-browser --port=$(PORT)

test: .venv/all browser proxy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pytest

train: .venv/all
	$(BIN)/jupyter nbconvert --execute --inplace --to notebook train.ipynb
	$(MAKE) strip

# FoodVision beside Gradio and fastbook's app; `make bench BENCH="--only page"` measures a part.
bench: .venv/all browser build/bench/gradio/ready
	$(BIN)/python -m benchmarks $(BENCH)

# Gradio wants an older Pillow. Torch, the same for all, is the one of .venv: the .pth file adds its folder at the end.
build/bench/gradio/ready: requirements/bench.txt | .venv/all
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/bench/gradio
	$(BIN)/uv pip install --quiet --require-hashes --python build/bench/gradio --requirement requirements/bench.txt
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
		> "$$(build/bench/gradio/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/torch.pth"
	@touch $@

# Takes long; `make reliability RELIABILITY="--visitors 10 --sessions 20"` is quicker.
reliability: .venv/all
	$(BIN)/python -m tests.reliability $(RELIABILITY)

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
	$(LOCK) $(PROJECT) --output-file requirements/serve.txt
	$(LOCK) $(PROJECT) --extra train --extra test --extra folder --output-file requirements/all.txt
	$(LOCK) --group bench --output-file requirements/bench.txt

# Asks osv.dev, which knows the advisories of PyPI and of GitHub. requirements/advisories argues those that are passed over.
audit: .venv/all
	$(BIN)/pip-audit --vulnerability-service osv --disable-pip --require-hashes --progress-spinner off \
		$$(sed -n 's/^\([A-Z][^ ]*\): ..*/--ignore-vuln \1/p' requirements/advisories) \
		--requirement requirements/serve.txt --requirement requirements/all.txt

sbom: .venv/all
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements/serve.txt --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file build/sbom.json

# Of the served packages; pyproject.toml lists the licences that they may have.
licences: .venv/all
	@$(BIN)/pip-licenses --with-system --packages $$(sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' requirements/serve.txt)

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
