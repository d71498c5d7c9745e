"""What requests say: the study, the trial, the filter, and what else stands in an address."""

from typing import Annotated

from fastapi import Path, Query

Segment = Annotated[
    str, Path(alias="study", description="The study's name, percent-encoded twice.")
]
Number = Annotated[int, Path(ge=0, le=2**53, description="The trial's number.")]
Page = Annotated[int, Query(ge=1, le=10**9)]
Text = Annotated[str, Query(max_length=2000)]
