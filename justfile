# Every recipe is a thin call of cargo: `cargo run -q -- lab 05` does what `just lab 05` does.

set positional-arguments
set quiet

# List the recipes
default:
    just --list --unsorted

# Run a lab: the demo (just lab 05), or one role by hand (just lab 05 server)
[no-exit-message]
lab +arguments:
    cargo run -q -- lab "$@"

# List the labs by chapter
labs *arguments:
    cargo run -q -- labs "$@"

# Check the claims of a lab, or of all
[no-exit-message]
claims *arguments:
    cargo run -q -- claims "$@"

# Tell what this machine allows
doctor:
    cargo run -q -- doctor

# Make a new lab that compiles: just new 98 udp-something --question "What happens?"
[no-exit-message]
new *arguments:
    cargo run -q -- new "$@"

# Run all tests
test *arguments:
    cargo test "$@"

# Accept new transcripts and verdicts, and refresh what the pages quote and show
bless:
    INSTA_UPDATE=always INSTA_FORCE_PASS=1 cargo test -q --test transcripts recorded
    SOCKLAB_BLESS=1 cargo test -q --test pages -- quotation diagram

# Measure anew the times that pages tell; do it when the machine has nothing else to do
measure:
    SOCKLAB_MEASURE=1 SOCKLAB_BLESS=1 cargo test -q --test pages quotation

# Run labs many times and count their different transcripts: just soak --load --together 4
[no-exit-message]
soak *arguments:
    cargo run -q --release -- soak "$@"

# Measure, each figure beside its baseline
bench:
    cargo bench -q --bench stage
    cargo bench -q --bench judge

# Formatting, lints and everything that CI asks for
check:
    cargo fmt --check
    cargo clippy -q --all-targets -- -D warnings
