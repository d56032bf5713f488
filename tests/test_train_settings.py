"""Settings: each said once, held to its type and bounds, the command line over the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.cli.commands import run
from archdsl.diagnostics import ArchError
from archdsl.training.schedules import SCHEDULES, factor
from archdsl.training.settings import RULES, Settings, read_settings


def test_the_command_line_goes_over_the_file(tmp_path: Path) -> None:
    """What neither says is the default."""
    (tmp_path / "train.toml").write_text('epochs = 7\nlr = 1\naugment = ["flip", "crop"]\noptimizer = "sgd"\n')
    found = read_settings(str(tmp_path / "net.arch"), {"epochs": 3})
    assert found == Settings(epochs=3, lr=1.0, augment=("flip", "crop"), optimizer="sgd")
    assert read_settings(None, {}) == Settings()


@pytest.mark.parametrize(
    ("text", "code", "place", "told"),
    [
        ("epochs = 3\nepohs = 5\n", "E730", "train.toml:2:1", "did you mean epochs?"),
        ("[optimizer]\nlr = 3\n", "E731", "train.toml:1:2", "is a text, not"),
        ('epochs = "10"\n', "E731", "train.toml:1:1", "epochs is a whole number, not '10'"),
        ("epochs = true\n", "E731", "train.toml:1:1", "epochs is a whole number, not True"),
        ("epochs = 2.0\n", "E731", "train.toml:1:1", "epochs is a whole number, not 2.0"),
        ("epochs = 0\n", "E731", "train.toml:1:1", "epochs is at least 1, not 0"),
        ("lr = nan\n", "E731", "train.toml:1:1", "lr is a finite number, not nan"),
        ("momentum = 1\n", "E731", "train.toml:1:1", "momentum is below 1, not 1"),
        ('compile = "yes"\n', "E731", "train.toml:1:1", "compile is true or false, not 'yes'"),
        ('\n schedule = "cos"\n', "E731", "train.toml:2:2", "schedule is one of constant, cosine"),
        ('augment = "flip"\n', "E731", "train.toml:1:1", "augment is texts, not 'flip'"),
        ("epochs = \n", "E732", "train.toml:1:10", "this is no TOML"),
    ],
)
def test_a_wrong_file_is_an_error_at_its_place(tmp_path: Path, text: str, code: str, place: str, told: str) -> None:
    """A key that is no setting, and a value of another type or out of its bounds; nothing is coerced."""
    (tmp_path / "train.toml").write_text(text)
    with pytest.raises(ArchError) as error:
        read_settings(str(tmp_path / "net.arch"), {})
    assert f"error[{code}]" in str(error.value) and place in str(error.value) and told in str(error.value)


def test_what_is_stored_comes_back() -> None:
    """to_dict and from_dict are inverse; what another archdsl might have written is refused."""
    settings = Settings(lr=0.5, augment=("flip",), amp="bf16", patience=3)
    assert Settings.from_dict(settings.to_dict()) == settings
    for wrong in ({"epochs": None}, {"epochs": "3"}, {"nothing": 1}):
        with pytest.raises(ValueError):
            Settings.from_dict({**settings.to_dict(), **wrong})


def test_every_setting_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    """`train --help` has each, and a wrong value is a wrong call."""
    assert run(["train", "--help"]) == 0
    told = capsys.readouterr().out
    assert all("--" + name.replace("_", "-") in told for name in RULES)
    assert run(["train", "net.arch", "--epochs", "0"]) == 2
    assert "is at least 1, not 0" in capsys.readouterr().err


def test_schedules() -> None:
    """Where each starts, is highest and ends; all stay within 0 and 1."""
    steps = 1000
    rates = {name: [factor(name, step, steps) for step in range(steps)] for name in SCHEDULES}
    assert set(rates["constant"]) == {1.0}
    assert rates["cosine"] == sorted(rates["cosine"], reverse=True) and rates["cosine"][500] == pytest.approx(
        0.5, abs=2e-3
    )
    assert [rates["step"][i] for i in (0, 499, 500, 750)] == pytest.approx([1, 1, 0.1, 0.01])
    assert rates["warmup"].index(max(rates["warmup"])) == 50 and rates["warmup"][24] == pytest.approx(0.49)
    assert rates["onecycle"].index(max(rates["onecycle"])) in (299, 300)
    assert rates["onecycle"][0] == pytest.approx(0.04, abs=1e-3) and rates["onecycle"][-1] < 1e-4
    assert all(0 < rate <= 1 for one in rates.values() for rate in one)
