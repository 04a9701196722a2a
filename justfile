# What CI runs.
check:
    bash .ci/run

# The README's two commands.
score *ARGS="examples/images":
    cargo run --release -- score {{ARGS}}

test:
    cargo test --workspace --features train
