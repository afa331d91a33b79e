"""Training and judging an encoder, as users would."""

import numpy as np
from PIL import Image

from conftest import picture, run_script

TINY = [
    "--widths=4,6,8,8,8", "--depths=1,1,1,2,1", "--steps=2", "--batch_size=4", "--crop_size=32",
    "--holdout_every=2",
]  # fmt: skip


def test_a_trained_encoder_can_be_used_and_judged(tmp_path):
    for seed in range(4):
        Image.fromarray(picture(64, 96, seed)).save(tmp_path / f"photo{seed}.jpg")
    trained = run_script(
        "development/train_encoder.py", "--photos=.", "--output=tiny.npz", *TINY, cwd=tmp_path
    )
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == "tiny.npz\n" and "SHA-256" in trained.stderr
    with np.load(tmp_path / "tiny.npz", allow_pickle=False) as file:
        assert file["block1_conv1/kernel"].shape == (3, 3, 3, 4)
    judged = run_script(
        "development/evaluate_encoder.py", "--photos=.", "--holdout_every=2", "--weights=tiny.npz", "--inversions=1",
        "--iterations=1", "--inversion_size=48", "--timing_sizes=32,48", cwd=tmp_path,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stderr
    rows = [line.count("|") for line in judged.stdout.splitlines() if line]
    assert rows == [5, 5, 5, 7, 7, 7, 4, 4, 4]


def test_mistakes_are_one_line(tmp_path):
    for arguments, message in (
        ([], "--photos: is missing"),
        (["--photos=.", "--output=x.txt"], "output='x.txt': must end in .npz"),
        (["--photos=none", "--output=x.npz"], "photos='none': no such file or folder"),
        (["--photos=.", "--output=x.npz", "--batch_size=5"], "batch_size=5: must be even"),
    ):
        process = run_script("development/train_encoder.py", *arguments, cwd=tmp_path)
        assert process.returncode == 1 and "Traceback" not in process.stderr
        assert message in process.stderr.splitlines()[-1]
