# Sourced: `medclip` with training, and two runs at a time. Two runs with one thread each are half as fast again as one
# run with two. MEDCLIP names another program than the one that is built here.
export RAYON_NUM_THREADS=1 CANDLE_NUM_THREADS=1
if [[ -z ${MEDCLIP:-} ]]; then
  cargo build --quiet --release -p medclip-cli --features train
  MEDCLIP=target/release/medclip
fi

medclip() { "$MEDCLIP" "$@"; }

# Starts a command in the background once fewer than two are running; a failed one ends the script.
start() {
  while (( $(jobs -rp | wc -l) >= 2 )); do wait -n; done
  "$@" >/dev/null &
}

finish() {
  while (( $(jobs -rp | wc -l) > 0 )); do wait -n; done
}
