#!/usr/bin/env bash
# Semantic matching beside InfoNCE on Open-I alone, three seeds each; all else is the shipped model's recipe.
#   training/experiments/objectives.sh [TRAINING FILE] [OUTPUT DIRECTORY]
set -euo pipefail
source "$(dirname "$0")/parallel.sh"
file=${1:-training/medclip-edge.toml}
out=${2:-runs/objectives}

openi=(--set epochs=4 --set image.size=128 --set ema_decay=0.99 --set 'data.further=[]' --set 'data.train.sources=["iu_openi"]')
paired=(--set data.sampler.pairing=paired)
runs=()
for seed in 1 2 3; do
  start medclip train "$file" --output "$out/unpaired-$seed" --seed "$seed" "${openi[@]}"
  start medclip train "$file" --output "$out/paired-$seed" --seed "$seed" "${openi[@]}" "${paired[@]}"
  start medclip train "$file" --output "$out/infonce-$seed" --seed "$seed" "${openi[@]}" "${paired[@]}" \
    --set 'objective={ kind = "info_nce" }'
done
finish
for seed in 1 2 3; do
  runs+=("semantic matching, unpaired=$out/unpaired-$seed" "semantic matching, paired=$out/paired-$seed")
  runs+=("InfoNCE=$out/infonce-$seed")
done
medclip runs compare --evaluation val "${runs[@]}"
medclip runs compare --evaluation nih "${runs[@]}"
