# Every recipe is a thin call of cargo: `cargo run -q -- lab 05` does what `just lab 05` does. Where something is to be
# built, that is shown on standard error; where not, nothing is.

set positional-arguments
set quiet

# List the recipes
default:
    just --list --unsorted

# List the recipes
help:
    just --list --unsorted

# What takes a while is shown. Cargo alone knows what is to be built; a look at the files tells when to let it speak.
[private]
[no-exit-message]
build:
    program="${CARGO_TARGET_DIR:-target}/debug/socklab"; \
    if [ ! -x "$program" ] || [ -n "$(find Cargo.toml Cargo.lock build.rs src labs -newer "$program" -print -quit)" ]; then \
        [ -x "$program" ] || echo "Building socklab: once, and it may take a minute." >&2; \
        cargo build --bin socklab; \
    fi

# Run a lab: the demo (just lab 05), or one role by hand (just lab 05 server)
[no-exit-message]
lab *arguments: build
    cargo run -q -- lab "$@"

# List the labs by chapter
[no-exit-message]
labs *arguments: build
    cargo run -q -- labs "$@"

# Begin an exercise: a folder in work/ with the task and a starter (just start 30 python)
[no-exit-message]
start *arguments: build
    cargo run -q -- start "$@"

# Judge what is in work/, or any program: just grade 30, just grade 30 -- python3 server.py
[no-cd, no-exit-message]
grade +arguments: build
    cargo run -q --manifest-path "{{justfile_directory()}}/Cargo.toml" -- grade "$@"

# Judge again at each save, and show what is wrong first
[no-cd, no-exit-message]
watch +arguments: build
    cargo run -q --manifest-path "{{justfile_directory()}}/Cargo.toml" -- watch "$@"

# Give the next hint of an exercise
[no-exit-message]
hint *arguments: build
    cargo run -q -- hint "$@"

# Say what to do next: a lab to run, or an exercise to pass
[no-exit-message]
next *arguments: build
    cargo run -q -- next "$@"

# Show which exercises are done, and how many labs were run
[no-exit-message]
progress *arguments: build
    cargo run -q -- progress "$@"

# Put an exercise's starter back; what was there is kept
[no-exit-message]
reset *arguments: build
    cargo run -q -- reset "$@"

# Show the solution of an exercise that is passed, or --give-up
[no-exit-message]
solution *arguments: build
    cargo run -q -- solution "$@"

# Check the claims of a lab, or of all
[no-exit-message]
claims *arguments: build
    cargo run -q -- claims "$@"

# Show what this machine allows
[no-exit-message]
doctor *arguments: build
    cargo run -q -- doctor "$@"

# Build the numbered programs, lab-05-udp-no-server and all others, beside socklab
programs *arguments:
    cargo build -q -p socklab-programs "$@"

# Make a new lab that compiles: just new 98 udp-something --question "What happens?"
[no-exit-message]
new *arguments: build
    cargo run -q -- new "$@"

# Make a new exercise that runs: just new-exercise 30 client --title "a struct-header client"
[no-exit-message]
new-exercise *arguments: build
    cargo run -q -- new-exercise "$@"

# Judge every program of every exercise, or of one, and write docs/exercises.md: just matrix 30
matrix only="":
    SOCKLAB_ONLY="{{only}}" SOCKLAB_MATRIX=1 SOCKLAB_BLESS=1 cargo test -q --test integration exercises::

# Run all tests
test *arguments:
    cargo test "$@"

# Run the tests that look at each lab, for one of them: just test-lab 19 (or an exercise: just test-lab 30-client)
test-lab only:
    SOCKLAB_ONLY="{{only}}" cargo test -q --test integration -- transcripts:: pages::every_ pages::form:: diagram:: honesty::the_trace exercises::

# Accept new transcripts and verdicts, and refresh what the pages quote and show; of one lab: just bless 19
bless only="":
    SOCKLAB_ONLY="{{only}}" INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test -q --test integration recorded
    SOCKLAB_ONLY="{{only}}" SOCKLAB_BLESS=1 cargo test -q --test integration -- pages::every_quotation pages::every_diagram tidy::the_table_of_contents drawings::the_states

# Measure anew the times that pages tell; do it when the machine has nothing else to do
measure:
    SOCKLAB_MEASURE=1 SOCKLAB_BLESS=1 cargo test -q --test integration pages::every_quotation
    SOCKLAB_BLESS=1 cargo bench -q --bench clients

# Run labs many times and count their different transcripts: just soak --load --together 4
[no-exit-message]
soak *arguments:
    cargo run -q --release -- soak "$@"

# Judge the exercises' own programs many times and count their different verdicts: just soak-judge 30 --load
[no-exit-message]
soak-judge *arguments:
    cargo run -q --release -- soak-judge "$@"

# The night's soak of the judge: what was made for races 200 times, the checks in which verdicts once wavered 200 times, all else 5 times
nightly:
    just soak-judge --language all --races --runs 200 --load --together 4
    just soak-judge 13 --language all --check fin-then-reset --runs 200 --load --together 4
    just soak-judge 15 --language all --check rude-client --runs 200 --load --together 4
    just soak-judge 30 --language all --check reset-in-a-frame --runs 200 --load --together 4
    just soak-judge 30 --language all --check large-message --runs 200 --load --together 4
    just soak-judge --language all --runs 5 --load --together 4

# Throw bytes at what reads strangers' bytes, for so many seconds: just fuzz manifest 600; alone it lists the targets
fuzz *arguments:
    fuzz/run "$@"

# Run a command in a virtual machine with another kernel: just vm, just vm -- doctor, just vm uname -a (see tools/vm/run)
[no-exit-message]
vm *arguments:
    cargo build -q --bins
    [ "$#" -gt 0 ] || cargo test -q --no-run --test integration
    tools/vm/run "$@"

# Measure, each figure beside its baseline and its limit
bench:
    cargo bench -q --bench stage --bench judge --bench grading --bench framing --bench transfer --bench clients

# Formatting and lints, as CI asks for them
check:
    cargo fmt --all --check
    rustfmt --check --edition 2024 labs/*/main.rs labs/*/exercise*/checks.rs
    cargo clippy --locked -q --workspace --all-targets -- -D warnings

# All that CI runs; as root it makes a user, socklab-ci, whose tests they are
ci:
    .ci/run
