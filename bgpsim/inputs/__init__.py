"""Files that people already have, in two layers.

`inputs.files` says what is written where (the lab and the model may both read it); the modules beside it say what it
means (`Network`, the model's alone).
"""
