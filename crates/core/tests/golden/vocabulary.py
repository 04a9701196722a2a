"""Writes vocab.txt and vocabulary.tsv (lower-cased or not, ids, sentence) as Hugging Face's BertTokenizer splits them.

    python vocabulary.py        # transformers
"""

import json
import pathlib

from transformers import BertTokenizer

HERE = pathlib.Path(__file__).parent
VOCABULARY = """[PAD] [unused1] [UNK] [CLS] [SEP] [MASK] ! , - . / 5 ( ) é ü 心 the The heart Heart ##s ##ly ##ed en ##lar ##g
##largement no No pleural effusion e ##f u 2 ##cm cm ß a ##a ##b""".split()
SENTENCES = [
    "The heart is enlarged.",
    "No pleural effusion, no Heart hearts!",
    "  the\theart\u00a0(the/heart)  5-2cm ",
    "é É e\u0301 ü Ü ß ẞ",
    "心心 the\u0000heart\u200b the\u00adheart",
    "[MASK] the[SEP]heart [mask] [CLS ]",
    "en" + "largement" * 3,
    "a" + "a" * 99,
    "a" + "a" * 100,
    "unknown words -- …",
    "",
]


def main():
    (HERE / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    lines = []
    for lower in [False, True]:
        tokenizer = BertTokenizer.from_pretrained(str(HERE), do_lower_case=lower)
        for sentence in SENTENCES:
            lines.append(f"{lower}\t{json.dumps(tokenizer(sentence)['input_ids'])}\t{json.dumps(sentence)}\n")
    (HERE / "vocabulary.tsv").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
