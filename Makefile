# `make help` lists the targets. Each installs what it needs the first time.

PYTHON ?= python3
PORT ?= 8866
BIN := .venv/bin
# An editable install copies the page's template to where Voilà looks for it, so a change to it triggers a new install.
INSTALLED := pyproject.toml $(wildcard requirements/*.txt foodvision/page/jupyter/* foodvision/page/jupyter/*/* foodvision/page/template/* \
	foodvision/page/template/static/* foodvision/page/template/static/languages/*)

LOCK = $(BIN)/uv pip compile --quiet --no-strip-extras --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
	--custom-compile-command "make lock"
PROJECT = --group build pyproject.toml
install = $(BIN)/pip install --quiet --require-hashes --requirement requirements/$(1).txt \
	&& $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .

# Installs Debian packages if this is Debian and we are root; otherwise the tests say what they skip.
debian = { grep -qs '^ID=debian' /etc/os-release && [ "$$(id -u)" = 0 ] \
	&& apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends $(1); }

.PHONY: help runtime app quick test js train strip bench phones ray reliability lint lock audit sbom licences browser \
	engines proxy clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target does; do \
		printf '  make %-12s %s\n' "$$target" "$$does"; done

app: .venv/app runtime ## serve the page
	@echo "FoodVision: http://localhost:$(PORT)"
	$(BIN)/foodvision serve foodvision.ipynb --no-browser --port=$(PORT)

# The fast tests: see `markers` in pyproject.toml for what they leave out.
quick: .venv/quick ## check format, lint, types and the fast tests, in a minute and without torch or a browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest --quiet --numprocesses=logical --maxprocesses=4 \
		-m "not browser and not learn and not network and not slow"

test: .venv/all browser engines proxy js runtime ## run every check and every test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder --cov

js: ## check the scripts, where Node is installed
	@if ! command -v npm > /dev/null; then echo "Node is not installed: the scripts were not checked."; \
		elif $(MAKE) --silent node_modules/typescript/package.json; then npm run --silent check; \
		else echo "npm could not install the tools: the scripts were not checked."; fi

node_modules/typescript/package.json: package-lock.json
	npm ci --silent
	@touch $@ node_modules/onnxruntime-web/package.json

# ONNX Runtime for browsers. Without it the page works as before, without the switch.
runtime: ## install what lets browsers answer photos themselves, where Node is installed
	@if ! command -v npm > /dev/null; then echo "Node is not installed: browsers can't answer photos themselves."; \
		else $(MAKE) --silent node_modules/onnxruntime-web/package.json \
			|| echo "npm could not install ONNX Runtime: browsers can't answer photos themselves."; fi

node_modules/onnxruntime-web/package.json: package-lock.json
	npm ci --silent $(if $(wildcard node_modules/typescript),,--omit=dev --ignore-scripts)
	@touch $@

train: .venv/all ## train the model again, in train.ipynb
	$(BIN)/jupyter nbconvert --execute --inplace --to notebook train.ipynb
	$(MAKE) strip

# `make bench BENCH="--only page"` measures a part.
bench: .venv/all runtime browser build/bench/gradio/ready ## compare FoodVision with Gradio and fastbook's app
	$(BIN)/python -m benchmarks $(BENCH); missed=$$?; \
		$(if $(BENCH),true,$(BIN)/python -m benchmarks.on_device) && exit $$missed

# Gradio needs an older Pillow, so it gets its own environment. It shares the torch of .venv through a .pth file.
build/bench/gradio/ready: requirements/bench.txt | .venv/all
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/bench/gradio
	$(BIN)/uv pip install --quiet --require-hashes --python build/bench/gradio --requirement requirements/bench.txt
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
		> "$$(build/bench/gradio/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/torch.pth"
	@touch $@

phones: build/phones/ready ## install the converters for phones, for `foodvision export`

ray: build/ray/ready ## test the API on Ray Serve, with two replicas
	build/ray/bin/python -m pytest tests/test_ray.py

# The converters pin other packages than we do, and Ray is large. Neither is served, and a lock would install torch again:
# pip takes it from .venv, through a .pth file.
build/%/ready: pyproject.toml | .venv/all
	$(BIN)/python -m venv --clear build/$*
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
		> "$$(build/$*/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/shared.pth"
	build/$*/bin/python -m pip install --quiet --upgrade pip
	build/$*/bin/python -m pip install --quiet --group $*
	build/$*/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# `make reliability RELIABILITY="--visitors 10 --sessions 20"` is quicker.
reliability: .venv/all ## attack and load the page for about twenty minutes
	$(BIN)/python -m tests.reliability $(RELIABILITY)

# The data sets' photos are for research only, so cells tagged "strip" must have no output.
strip: .venv/all ## remove photos from train.ipynb
	$(BIN)/jupyter nbconvert --inplace --to notebook train.ipynb \
		--TagRemovePreprocessor.enabled=True --TagRemovePreprocessor.remove_all_outputs_tags strip

lint: .venv/quick ## format the code and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# requirements/*.txt pin every package with its hashes, for Linux, macOS and Windows and for Python 3.11 and later.
# `make lock UPGRADE=--upgrade` also upgrades the packages that pyproject.toml does not name. The fast tests need two
# packages of the `train` extra.
lock: .venv/all ## write requirements/*.txt
	$(LOCK) $(PROJECT) --output-file requirements/serve.txt
	$(LOCK) $(PROJECT) --extra api --output-file requirements/api.txt
	$(LOCK) $(PROJECT) --extra api --extra mcp --extra train --extra test --extra folder --output-file requirements/all.txt
	printf 'onnx\npandas\n' | $(LOCK) $(PROJECT) - --extra api --extra mcp --extra test --extra folder --constraint requirements/all.txt \
		--output-file requirements/quick.txt
	$(LOCK) --group bench --output-file requirements/bench.txt

# osv.dev collects the advisories of PyPI and GitHub. requirements/advisories says why some are ignored.
audit: .venv/all ## look up advisories for the locked packages
	$(BIN)/pip-audit --vulnerability-service osv --disable-pip --require-hashes --progress-spinner off \
		$$(sed -n 's/^\([A-Z][^ ]*\): ..*/--ignore-vuln \1/p' requirements/advisories) \
		--requirement requirements/api.txt --requirement requirements/all.txt

sbom: .venv/all ## write a bill of materials
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements requirements/serve.txt --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file build/sbom.json

# pyproject.toml lists the licences that the served packages may have.
licences: .venv/all ## check the licences of the served packages
	@$(BIN)/pip-licenses --with-system --packages $$(sed -n 's/^\([a-z0-9-]*\)\(\[.*\]\)*==.*/\1/p' requirements/serve.txt)

clean: ## remove what was installed and built
	rm -rf .venv build node_modules

# Debian has Chromium; elsewhere Playwright brings its own.
browser: .venv/all
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } > /dev/null \
		|| $(call debian,chromium) \
		|| $(BIN)/playwright install --with-deps chromium \
		|| { echo "The tests need Chromium, which could not be installed. Install it, and run this again."; exit 1; }

# Firefox, and WebKit with the virtual screen it needs.
engines:
	@{ command -v firefox-esr && command -v WebKitWebDriver && command -v Xvfb; } > /dev/null \
		|| $(call debian,firefox-esr webkit2gtk-driver xvfb) || true

proxy:
	@command -v nginx > /dev/null || $(call debian,nginx-light) || true

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/app: $(INSTALLED) | .venv/bin/pip
	$(call install,serve)
	@touch $@

.venv/quick: $(INSTALLED) | .venv/bin/pip
	$(call install,quick)
	@touch $@ .venv/app

.venv/all: $(INSTALLED) | .venv/bin/pip
	$(call install,all)
	@touch $@ .venv/app .venv/quick
