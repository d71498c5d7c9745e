import pytest

from tunesmith._core.secrets import masked


@pytest.mark.parametrize(
    "given, shown",
    [
        ("--token abc", "--token ***"),
        ("--token=abc --lr 1", "--token=*** --lr 1"),
        ("--wandb-api-key abc", "--wandb-api-key ***"),
        ("--hf_token abc", "--hf_token ***"),
        ("key=abc", "key=***"),
        ("-password abc", "-password ***"),
        ("env.DB_PASSWORD=abc", "env.DB_PASSWORD=***"),
        ('{"secret":"abc","lr":1}', '{"secret":"***","lr":1}'),
        ("https://me:abc@host/x", "https://me:***@host/x"),
        ("https://host/x?token=abc&n=1", "https://host/x?token=***&n=1"),
        ("ghp_abcdefghijkl hf_abcdefghijk", "*** ***"),
        ("--dbPassword=abc", "--dbPassword=***"),
    ],
)
def test_secrets_are_masked(given: str, shown: str) -> None:
    """After a name that says so, in a URL, or by their own form."""
    assert masked(given.split()) == shown.split()


@pytest.mark.parametrize(
    "given",
    ["--tokenizer bert", "--monkey=3 --keyword x", "--max-tokens 512", "--lr 0.1 --author me",
     "python train.py {args} --space=space.toml", "--passes 3", "--token --lr 1"],
)  # fmt: skip
def test_other_words_are_kept(given: str) -> None:
    """What only begins like such a name is none, and a flag is no value."""
    assert masked(given.split()) == given.split()


def test_a_header_is_masked() -> None:
    """A word with blanks in it, too."""
    assert masked(["Authorization: Bearer abc.def"]) == ["Authorization: *** ***"]
