"""Seconds of VGG19's layers, as developers measure them."""

import pytest

from conftest import run_script, well


@pytest.mark.slow
def test_each_layer_has_a_row_in_both_precisions(tmp_path):
    flags = ["--image_size=64", "--repeats=1"]
    lines = well(run_script("development/layer_rates.py", *flags, cwd=tmp_path)).stdout.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    names = [
        f"block{block}_conv{number}" for block in range(1, 5) for number in range(1, 3 + 2 * (block > 2))
    ]
    for dtype in ("float32", "bfloat16"):
        of_dtype = {row[0]: row[2:] for row in rows if row[1] == dtype}
        assert set(of_dtype) == {*names, "block5_conv1", *(f"block{n}_pool" for n in range(1, 5)), "all"}
        assert all(
            shares.endswith("%") == ("conv" in name)
            for name, (_, _, shares) in of_dtype.items()
            if name != "all"
        )
        shares = [float(row[2].split("%")[0]) for name, row in of_dtype.items() if "pool" not in name]
        assert min(shares) >= 0 and "GFLOP/s" in of_dtype["all"][2]
