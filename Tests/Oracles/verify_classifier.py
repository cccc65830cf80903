"""Loads reward models that the engine saved with transformers' AutoModelForSequenceClassification.

    python Tests/Oracles/verify_classifier.py DIRECTORY … [--ids 5,6,7,9,10,11]

Every tensor must be there and be used; prints the score of the ids in float32, which `grao.reward_model(DIRECTORY):score`
should give too.
"""

import argparse

import torch
from transformers import AutoModelForSequenceClassification

parser = argparse.ArgumentParser()
parser.add_argument("directories", nargs="+")
parser.add_argument("--ids", default="5,6,7,9,10,11")
arguments = parser.parse_args()
ids = [int(i) for i in arguments.ids.split(",")]

for directory in arguments.directories:
    model, info = AutoModelForSequenceClassification.from_pretrained(
        directory, output_loading_info=True, dtype=torch.float32, attn_implementation="eager", experts_implementation="eager")
    problems = {key: value for key, value in info.items() if value}
    if problems or model.config.num_labels != 1:
        raise SystemExit(f"{directory}: {problems}, {model.config.num_labels} labels")
    with torch.no_grad():
        score = model.eval()(torch.tensor([ids])).logits[0, 0].item()
    print(directory, type(model).__name__, score)
