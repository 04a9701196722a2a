#!/usr/bin/env bash
# One change at a time to the shipped model's recipe, three seeds each, 96 pixels and about 162 steps of 48 images and 48 sentences on Open-I
# frontals, the text trunk frozen, so that all of it takes an hour on two cores: objectives, label temperatures, pairing, certainty, unpaired sources, shares of the data. Writes one table a question.
#   training/experiments/ablations.sh [TRAINING FILE] [OUTPUT DIRECTORY]
set -euo pipefail
source "$(dirname "$0")/parallel.sh"
file=${1:-training/medclip-edge.toml}
out=${2:-runs/ablations}
mkdir -p "$out"

small=(--set image.size=96 --set ema_decay=0.99 --set 'data.further=[]' --set 'data.train.sources=["iu_openi"]'
  --set data.sampler.pairing.unpaired.sentences=48 --set text.freeze_layers=6)
# Evaluated once, after the last step: nothing is chosen on the films it is measured on.
epochs() { echo "--set epochs=$1 --set evaluate_every=$1"; }
paired=(--set data.sampler.pairing=paired)
matching() { echo "objective={ kind = \"semantic_matching\", similarity = \"$1\", label_temperature = $2 }"; }

# train NAME SEED EPOCHS SETTING…: the run and, once it is done, its bundle.
train() {
  local run="$out/$1-$2" bundle="$out/bundles/$1-$2"
  [[ -d $bundle ]] && return
  # shellcheck disable=SC2046
  medclip train "$file" --output "$run" --seed "$2" $(epochs "$3") "${small[@]}" "${@:4}"
  medclip export "$run/best" -o "$bundle" --prompts models/prompts/chest-xray.toml
}

mkdir -p "$out/bundles"
for seed in 1 2 3; do
  start train matching-0.1 "$seed" 3
  start train matching-1 "$seed" 3 --set "$(matching cosine 1.0)"
  start train hard "$seed" 3 --set 'objective={ kind = "hard_matching", similarity = "cosine" }'
  start train paired "$seed" 3 "${paired[@]}"
  start train infonce "$seed" 3 "${paired[@]}" --set 'objective={ kind = "info_nce" }'
  start train folded "$seed" 3 --set data.labels.fold_certainty=true
  start train nih "$seed" 6 --set 'data.train.sources=["nih"]'
  start train share-0.1 "$seed" 30 --set data.train.fraction=0.1
  start train share-0.25 "$seed" 12 --set data.train.fraction=0.25
  start train share-0.5 "$seed" 6 --set data.train.fraction=0.5
  start train matching-0.3 "$seed" 3 --set "$(matching cosine 0.3)"
  start train matching-0.03 "$seed" 3 --set "$(matching cosine 0.03)"
  start train dot-1 "$seed" 3 --set "$(matching dot 1.0)"
done
finish

# compare TABLE LABEL=NAME…, the first label being what the others are compared with.
compare() {
  local members=() pair seed source
  for pair in "${@:2}"; do
    for seed in 1 2 3; do members+=("${pair%%=*}=$out/bundles/${pair#*=}-$seed"); done
  done
  for source in iu_openi nih; do
    medclip eval compare data/manifest.csv --source "$source" --view frontal --split val "${members[@]}" > "$out/$1-$source.md"
  done
}
compare objectives "InfoNCE, paired=infonce" "matching, paired=paired" "matching, unpaired=matching-0.1" "hard matching, unpaired=hard"
compare temperature "τ 1=matching-1" "τ 0.3=matching-0.3" "τ 0.1=matching-0.1" "τ 0.03=matching-0.03" "dot, τ 1=dot-1"
compare certainty "kept=matching-0.1" "folded=folded"
compare sources "Open-I images=matching-0.1" "NIH images=nih"
compare share "100 %=matching-0.1" "50 %=share-0.5" "25 %=share-0.25" "10 %=share-0.1"
