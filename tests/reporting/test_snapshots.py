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
