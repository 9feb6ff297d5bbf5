"""Architectures that answer without torch, from ONNX files made once of a checkpoint: one file each, found by `discover()`.

`exported.base` says what each must state; `models.engines` chooses, makes, verifies and keeps them.
"""
