#!/usr/bin/env bash
# The recipe of the shipped model, at 128 pixels and without phantoms, on five folds of the training patients: trained on four, evaluated on the fifth.
#   training/experiments/folds.sh [TRAINING FILE] [OUTPUT DIRECTORY]
set -euo pipefail
source "$(dirname "$0")/parallel.sh"
file=${1:-training/medclip-edge.toml}
out=${2:-runs/folds}

runs=()
for fold in 0 1 2 3 4; do
  start medclip train "$file" --output "$out/$fold" --set epochs=6 --set ema_decay=0.99 \
    --set image.size=128 --set 'data.further=[]' --set 'data.train.sources=["iu_openi", "nih"]' \
    --set "data.train.exclude_folds=[$fold]" \
    --set 'data.eval.val.splits=["train"]' --set "data.eval.val.only_folds=[$fold]" \
    --set 'data.eval.nih.splits=["train"]' --set "data.eval.nih.only_folds=[$fold]"
  runs+=("AUROC=$out/$fold")
done
finish
medclip runs compare --evaluation val "${runs[@]}"
medclip runs compare --evaluation nih "${runs[@]}"
