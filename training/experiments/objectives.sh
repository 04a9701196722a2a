#!/usr/bin/env bash
# Seven objectives on Open-I alone, three seeds each; all else is the shipped model's recipe. Zero-shot AUROC of the validation
# films by affirming sentences alone, by denying ones alone, and by both, with paired differences from semantic matching.
#   training/experiments/objectives.sh [TRAINING FILE] [OUTPUT DIRECTORY]
# DATA is the directory of manifest.csv, PROMPTS the file of prompts.
set -euo pipefail
source "$(dirname "$0")/parallel.sh"
file=${1:-training/medclip-edge.toml}
out=${2:-runs/objectives}
data=${DATA:-data}
prompts=${PROMPTS:-models/prompts/chest-xray.toml}

openi=(--set epochs=4 --set image.size=128 --set ema_decay=0.99 --set 'data.further=[]' --set 'data.train.sources=["iu_openi"]')
# Name, objective, settings of its own. InfoNCE wants a sentence of each film's own report.
settings=(
  'semantic matching, cosine|{ kind = "semantic_matching", similarity = "cosine", label_temperature = 0.1 }|'
  'semantic matching, dot|{ kind = "semantic_matching", similarity = "dot" }|'
  'hard matching|{ kind = "hard_matching", similarity = "cosine" }|'
  'multi-positive NCE|{ kind = "multi_positive_nce" }|'
  'sigmoid|{ kind = "sigmoid" }|'
  'contradiction|{ kind = "contradiction", repulsion = 0.5 }|'
  'InfoNCE|{ kind = "info_nce" }|data.sampler.pairing=paired'
)
directory() { echo "$out/$(tr -cs 'a-zA-Z' '-' <<<"$1")$2"; }
train_and_export() {
  local to=$1 seed=$2 objective=$3 own=$4
  medclip -q train "$file" --output "$to" --seed "$seed" "${openi[@]}" --set "objective=$objective" ${own:+--set "$own"}
  medclip -q export "$to/best" -o "$to/bundle" --prompts "$prompts" --replace
}
for seed in 1 2 3; do
  for setting in "${settings[@]}"; do
    IFS='|' read -r name objective own <<<"$setting"
    start train_and_export "$(directory "$name" $seed)" $seed "$objective" "$own"
  done
done
finish
bundles=()
for setting in "${settings[@]}"; do
  name=${setting%%|*}
  for seed in 1 2 3; do bundles+=("$name=$(directory "$name" $seed)/bundle"); done
done
for source in iu_openi nih; do
  for side in positive negative pair; do
    medclip eval compare "$data/manifest.csv" --split val --source $source --view frontal --by $side "${bundles[@]}"
  done
done
