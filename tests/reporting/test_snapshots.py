import numpy as np
from PIL import Image

from tfstyle.reporting import SnapshotReporter

from records import IMAGE, progress


def test_snapshots(tmp_path):
    reporter = SnapshotReporter(tmp_path / "new" / "folder")
    reporter.report(progress(0), IMAGE)
    reporter.report(progress(10), IMAGE)
    names = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert names == ["step_000000.png", "step_000010.png"]
    pixels = np.asarray(Image.open(tmp_path / "new" / "folder" / names[0]))
    np.testing.assert_array_equal(pixels, np.round(np.clip(IMAGE[0], 0, 1) * 255))


def test_a_picture_of_bytes_is_written_as_it_is(tmp_path):
    pixels = np.round(np.clip(IMAGE, 0, 1) * 255).astype(np.uint8)
    SnapshotReporter(tmp_path).report(progress(0), pixels)
    np.testing.assert_array_equal(Image.open(tmp_path / "step_000000.png"), pixels[0])
