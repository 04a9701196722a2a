# What CI runs.
check:
    bash .ci/run

# The README's two commands.
score *ARGS="examples/images":
    cargo run --release -- score {{ARGS}}

test:
    cargo test --workspace --features train

# The program for distribution, which holds no path of this machine; `just dist --features train` has more in it.
dist *ARGS:
    bash .ci/dist {{ARGS}}

# Timings of single steps, all or those of one file or name: `just bench --bench resize`, `just bench --bench load tract`.
bench *ARGS:
    cargo bench -p medclip-core -p medclip-runtime --features medclip-runtime/ort {{ARGS}}
