"""Hugging Face's image-text-to-text guide, on seesay: talk about several pictures, and see the answer while it is written.

    pip install -c constraints.txt "seesay[models]"
    python examples/image_text_to_text.py one.jpg two.jpg --model HuggingFaceTB/SmolVLM-500M-Instruct

Any model for images and text on the Hub will do (Idefics2 and 3, SmolVLM, Qwen2-VL, LLaVA, ...).
"""

import argparse

import seesay

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("pictures", nargs="+")
parser.add_argument("--model", default="HuggingFaceTB/SmolVLM-500M-Instruct")
parser.add_argument("--max-new-tokens", type=int, default=128)
arguments = parser.parse_args()

model = seesay.load(arguments.model)

# 1. A turn about all pictures at once; each is a part of the message, so placeholders cannot be miscounted.
conversation = seesay.Conversation().ask("What differs between these pictures?", *arguments.pictures)
answer = model.chat(conversation, max_new_tokens=arguments.max_new_tokens)
print("answer:", answer.text)

# 2. The next turn remembers the first. Its answer is streamed; joined, the pieces are the answer.
conversation = conversation.answered(answer.text or "nothing").ask("Which of them is older?")
with model.stream(conversation, max_new_tokens=arguments.max_new_tokens) as stream:
    print("streamed: ", end="")
    for piece in stream:
        print(piece, end="", flush=True)
    print()
    given = stream.answer()

# 3. Where an answer came from, so that it can be had again.
print(given.provenance.model, given.provenance.engine, given.provenance.dtype)
