STAGE ?= dev
HISTORIES ?= 10000
FUZZTIME ?= 10s
DATA ?= .data

# A line for each package, then what failed with its log. A package may wait long for a processor on
# a busy machine: the limit is for a test that hangs. lint has run vet already, and linking takes
# half the time without a symbol table.
GOTEST = go tool gotestsum --format pkgname --format-hide-empty-pkg --hide-summary=skipped -- -timeout 40m -vet=off -ldflags='-s -w'

.PHONY: help local reset demo test check lint race audit soak chaos bench fuzz conformance screenshots tour build cost preview up destroy stack mariadb chromium

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

local: mariadb ## the whole stack on this machine, until Ctrl-C
	@echo "building: minutes the first time, seconds after"
	@go build -o bin/local ./cmd/local && exec bin/local $(if $(findstring -dsn,$(ARGS)),,-data "$(DATA)") $(ARGS)

reset: ## forget the database that make local keeps in DATA
	@go run ./cmd/reset -data "$(DATA)"

demo: mariadb ## the story: sold out, refused, restocked, sold again
	@echo "building: minutes the first time, seconds after"
	@go run ./cmd/demo

test: mariadb chromium lint ## every test, and what the code must be like
	$(GOTEST) ./...
	@go run ./scripts/fuzz -inputs 1000 -guided=false

check: lint ## what needs neither database nor browser, in a minute
	$(GOTEST) -short ./...

lint: # what the code must be like
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go tool actionlint
	go tool revive -config revive.toml -set_exit_status $(LINTED)

# The packages whose exported names must have comments; docs/width_test.go checks how wide their lines are.
# The others do not pass yet: clean a package, then add it.
LINTED = ./bootstrap ./cmd/demo ./cmd/local/factory ./cmd/reset ./cmd/shop ./scripts/fuzz \
	./test/conformance ./test/histories ./test/tour \
	./internal/ads ./internal/merchant ./internal/message ./internal/sns \
	./internal/web ./internal/web/webtest ./test/load \
	./local/aws/apigateway ./local/aws/awsapi ./local/aws/eventsource ./local/aws/iam ./local/aws/lambda \
	./local/aws/scheduler ./local/aws/secretsmanager ./local/aws/sns ./local/aws/sqs ./local/aws/traceid \
	./local/mariadb ./local/mariadb/mariadbtest \
	./local/system/blackhole ./local/system/filelock ./local/system/loopback ./local/system/openfiles \
	./local/system/process ./local/system/tempdir ./local/system/watch ./local/system/watch/watchtest

# The packages that start goroutines or share data between them, in their code or in their tests.
CONCURRENT = $$(git grep -lE '\bgo (func|[a-zA-Z_.]+\()|\.Go\(|t\.Parallel\(|\b(sync|atomic)\.[A-Z]' -- '*.go' | xargs -n1 dirname | sort -u | grep -v testdata | sed 's|^|./|')

race: mariadb chromium ## the packages with concurrency, under the race detector
	$(GOTEST) -race $(CONCURRENT)

# G118 is vet's lostcancel with false alarms. The local run, and scripts, start the programs and open the files that their user names.
audit: ## what looks insecure to gosec; exceptions are argued beside the code
	go run github.com/securego/gosec/v2/cmd/gosec@v2.24.7 -quiet -exclude-dir=testdata -exclude-dir='\.build' -exclude=G118 \
		-exclude-rules='(local|scripts)/.*:G101,G115,G122,G204,G301,G304,G306,G404,G702,G703' ./...

soak: mariadb ## as many HISTORIES of the shop as are told; one that fails says how to play it again
	go test ./test/histories -run TestHistories -count=1 -timeout=0 -rapid.checks=$(HISTORIES)

chaos: mariadb ## a minute of everything that can go wrong, under a load of buyers, and the verdict
	@go run ./test/chaos $(ARGS)

bench: mariadb ## how fast it is, on this machine: into docs/benchmarks.md
	@go run ./test/bench $(ARGS)

fuzz: ## hostile input: every fuzz target for FUZZTIME; what is found stays in testdata/fuzz, and go test plays it again
	@echo "building with instruments: minutes the first time, seconds after"
	@go run ./scripts/fuzz -time "$(FUZZTIME)" $(ARGS)

conformance: ## the tests of the AWS API, against the local run or any other ENDPOINT=http://…
	CONFORMANCE_ENDPOINT="$(ENDPOINT)" go test -count=1 -v ./test/conformance

tour: mariadb ## the mistakes of docs/tour.md, each made in a copy: minutes
	go test ./test/tour -count=1 -timeout=0 -all $(ARGS)

screenshots: mariadb ## docs/storefront.png and docs/console.png, from the pages of a run
	@scripts/install-chromium --fonts
	@go run ./test/screenshots

build: ## the functions' zips, in dist/
	@go run ./infra/build

cost: ## what STAGE costs in a month
	@go run ./infra/cost/estimate -stage "$(STAGE)" $(ARGS)

preview: stack ## what pulumi would change in STAGE
	pulumi preview --stack "$(STAGE)"

up: stack ## deploy STAGE
	pulumi up --stack "$(STAGE)"

destroy: ## delete STAGE
	pulumi destroy --stack "$(STAGE)"

stack: # of STAGE, in the state backend
	@test -f "Pulumi.$(STAGE).yaml" || { echo "there is no stage $(STAGE): there is no Pulumi.$(STAGE).yaml" >&2; exit 1; }
	@pulumi stack select --create "$(STAGE)" $(if $(SECRETS_PROVIDER),--secrets-provider "$(SECRETS_PROVIDER)")

mariadb: # the tests' and the local run's database server
	@scripts/install-mariadb

chromium: # the browser of the tests; they are skipped without
	@scripts/install-chromium
