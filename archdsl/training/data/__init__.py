"""Data for training: what lies at a place, recognised and held against the spec before a step is made."""

from __future__ import annotations

from archdsl.training.data.dataset import Batch, Data, DataOptions, Normalisation, Split
from archdsl.training.data.prepare import prepare
from archdsl.training.data.recognise import open_data

__all__ = ["Batch", "Data", "DataOptions", "Normalisation", "Split", "open_data", "prepare"]
