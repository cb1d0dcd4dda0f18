STAGE ?= dev
HISTORIES ?= 10000
SEED ?= 1
FUZZTIME ?= 10s
DATA ?= .data

# Tests print a line for each package, then the log of each failed test. The timeout is for tests that
# hang; a package may be slow on a busy machine. -vet=off: lint runs vet. -ldflags: linking takes half
# the time without a symbol table. -p: packages wait for disks, servers and browsers; with twice as
# many of them as processors, others use that time.
GOTEST = go tool gotestsum --format pkgname --format-hide-empty-pkg --hide-summary=skipped -- \
	-timeout 40m -vet=off -ldflags='-s -w' -p $$((2 * $$(getconf _NPROCESSORS_ONLN)))

.PHONY: help local shop debug reset demo test check verify lint race audit soak month model mutants second-opinion chaos bench crowd fuzz conformance fidelity screenshots pictures tour new-function build cost doctor preview up destroy stack pulumi mariadb chromium delve

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

local: mariadb ## run the whole stack on this machine, until Ctrl-C
	@echo "building: minutes the first time, seconds after"
	@go build -o bin/local ./cmd/local && exec bin/local $(if $(findstring -dsn,$(ARGS)),,-data "$(DATA)") $(ARGS)

debug: mariadb delve ## make local, with the function FN under the debugger Delve: docs/debugging.md
	@echo "building: minutes the first time, seconds after"
	@go build -o bin/local ./cmd/local && exec bin/local -debug "$(FN)" -data "$(DATA)" $(ARGS)

reset: ## delete the database that make local keeps in DATA
	@go run ./cmd/reset -data "$(DATA)"

demo: mariadb ## show the story: sold out, refused, restocked, sold again
	@echo "building: minutes the first time, seconds after"
	@go run ./cmd/demo

# The packages that take longest come first, so that they do not end long after the others.
# GOGC: linking, and most tests, need less of the processor if garbage is collected less often.
test: export GOGC = 200
test: mariadb chromium delve ## run every test
	$(GOTEST) ./cmd/... ./test/... ./scripts/... ./internal/mysql ./...

check: lint ## run lint and the tests that need neither database nor browser: a minute
	$(GOTEST) -short ./...

# CI runs this instead of test and race, which would run half of the tests twice. It runs more random histories than
# make test: docs/proof.md.
verify: export RESTOCK_TEST_HISTORIES = 1000
verify: mariadb chromium delve lint ## run lint and every test once, those of make race under the race detector
	$(GOTEST) -race $(CONCURRENT)
	$(GOTEST) $$(go list ./... | grep -vxF "$$(go list $(CONCURRENT))")

lint: # format, vet, static checks, comments of exported names (docs/width_test.go checks the widths of lines)
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "run gofmt -w on: $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
	go tool revive -config revive.toml -set_exit_status ./...

# The packages that start goroutines or share data between them, in their code or in their tests, except two:
# - infra/rules: it starts no goroutine, and a run checks the rules in one goroutine. Its examples run in parallel,
#   each on its own copy of a graph. The program that it records runs under the detector in infra/stack.
# - test/mistakes: its work happens in processes of a program that go build builds without the detector.
CONCURRENT = $$(git grep -lE '\bgo (func|[a-zA-Z_.]+\()|\.Go\(|t\.Parallel\(|\b(sync|atomic)\.[A-Z]' -- '*.go' \
	| xargs -n1 dirname | sort -u | grep -v testdata | grep -vxE 'infra/rules|test/mistakes' | sed 's|^|./|')

race: mariadb chromium delve ## test the packages with concurrency under the race detector
	$(GOTEST) -race $(CONCURRENT)

# Excluded: G118 (vet's lostcancel finds the same without false alarms), and in local, scripts and test the rules
# against programs and files that the user names.
audit: ## look for insecure code with gosec; the code explains each exception
	go run github.com/securego/gosec/v2/cmd/gosec@v2.24.7 -quiet -exclude-dir=testdata -exclude-dir='\.build' -exclude=G118 \
		-exclude-rules='(local|scripts|test)/.*:G101,G115,G122,G204,G301,G304,G306,G404,G702,G703,G704' ./...

soak: mariadb ## run HISTORIES random histories of the shop; a failure prints the command that replays it
	go test ./test/histories -run TestHistories -count=1 -timeout=0 -v -rapid.checks=$(HISTORIES)

month: mariadb ## run the month of the shop that SEED names, with faults, in a minute or two; draw bin/month.svg
	@go run ./test/month -seed "$(SEED)" $(ARGS)

model: ## explore every order of steps and faults of a model of restocking, within bounds: docs/proof.md
	@go run ./test/model/explore $(ARGS)

mutants: mariadb ## make mistakes in the code, the procedures and the model, one at a time; a test must notice each
	@go build -o bin/mutants ./test/mutants && exec bin/mutants $(ARGS)

second-opinion: ## let Spin check the same protocol, and the same mutants of it: docs/proof.md
	go test ./test/model -run Spin -spin -count=1 -timeout=0 -v

chaos: mariadb ## inject faults of all kinds for a minute while buyers buy, then check the data
	@go run ./test/chaos $(ARGS)

bench: mariadb ## measure the shop on this machine, and write docs/benchmarks.md
	@go run ./test/bench $(ARGS)

crowd: mariadb ## send one hundredth of 10,000 watchers and 2,000 buyers a second, without and with CloudFront
	@go run ./test/crowd $(ARGS)

fuzz: ## run every fuzz target for FUZZTIME; go test replays the failures, which stay in testdata/fuzz
	@echo "building with instruments: minutes the first time, seconds after"
	@go run ./scripts/fuzz -time "$(FUZZTIME)" $(ARGS)

conformance: ## compare the stand-ins, or another ENDPOINT=http://…, with answers recorded from AWS
	CONFORMANCE_ENDPOINT="$(ENDPOINT)" go test -C test/conformance -count=1 -update

fidelity: ## say how to run the tests of AWS's own emulator against the local run
	@cat scripts/fidelity.txt

tour: mariadb ## make each mistake of docs/tour.md, and the changes of docs/extending*.md, in a copy: minutes
	go test ./test/tour -count=1 -timeout=0 -all $(ARGS)
	$(if $(ARGS),,go test ./test/replay -count=1 -timeout=0 -all)

screenshots: mariadb ## take docs/storefront.png and docs/console.png from a local run
	@scripts/install-chromium --fonts
	@go run ./test/screenshots

# Other options of go test are ARGS: make pictures ARGS='-run TestConsole'.
pictures: mariadb ## put pictures of the pages into bin/pictures: each browser test's, at its end, in all sizes and schemes
	@scripts/install-chromium --fonts
	@rm -rf bin/pictures && mkdir -p bin/pictures
	RESTOCK_PICTURES="$(CURDIR)/bin/pictures" go test ./test/browser -count=1 -timeout=0 $(ARGS)

new-function: ## write a function's skeleton: NAME=refund ROUTE="POST /sales/{sale}/refund", or QUEUE=… TOPIC=…, or EVERY=5m
	@go run ./scripts/new-function -name "$(NAME)" -route "$(ROUTE)" -queue "$(QUEUE)" -topic "$(TOPIC)" $(if $(EVERY),-every "$(EVERY)")

build: ## build the functions' zips into dist/
	@go run ./infra/build

cost: ## print what STAGE costs in a month
	@go run ./infra/cost/estimate -stage "$(STAGE)" $(ARGS)

shop: ## install the merchant's command line
	@go install ./cmd/shop

doctor: ## check that STAGE can be deployed: pulumi, credentials, quotas, settings, cost
	@echo "building: minutes the first time, seconds after" >&2
	@go run ./cmd/doctor -stage "$(STAGE)" -secrets-provider "$(SECRETS_PROVIDER)" $(ARGS)

preview: pulumi stack ## show what pulumi would change in STAGE
	pulumi preview --stack "$(STAGE)"

up: pulumi doctor stack ## deploy STAGE
	pulumi up --stack "$(STAGE)"

destroy: pulumi ## delete STAGE
	pulumi destroy --stack "$(STAGE)"

stack: # select or create the stack of STAGE
	@test -f "Pulumi.$(STAGE).yaml" || { echo "there is no stage $(STAGE): there is no Pulumi.$(STAGE).yaml" >&2; exit 1; }
	@pulumi stack select --create "$(STAGE)" $(if $(SECRETS_PROVIDER),--secrets-provider "$(SECRETS_PROVIDER)")

pulumi: # say how to install pulumi if it is missing
	@command -v pulumi >/dev/null || { cat cmd/doctor/pulumi.txt >&2; exit 1; }

mariadb: # install the database server of the tests and the local run
	@scripts/install-mariadb

delve: # install the debugger of make debug and of its test
	@GOBIN="$(CURDIR)/bin" go install github.com/go-delve/delve/cmd/dlv@v1.27.2

chromium: # install the browser of the tests; without it they are skipped
	@scripts/install-chromium
