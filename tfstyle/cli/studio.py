"""Serves a page on which to paint: drop a photograph, see it in sixteen styles, have one painted properly.

    tfstyle studio
    tfstyle studio --folder=paintings --port=0

The page's address is printed; Ctrl-C ends it. Pictures and paintings lie in --folder. When the page is loaded
again, or the studio started anew, nothing of them is lost: what was being painted goes on. With a --host that
others can reach, the address has a token, without which nothing is answered.
"""

import platformdirs
from absl import flags

from tfstyle.cli import common as cli


def define_flags():
    flags.DEFINE_string(
        "folder", None, "where pictures and paintings lie (default: tfstyle/studio in the user's data folder)"
    )
    flags.DEFINE_integer("port", 8765, "port of the page's address; 0: one that is free")
    flags.DEFINE_string(
        "host",
        "127.0.0.1",
        "name or address of this machine under which the page is served; others can then ask",
    )


def main():
    FLAGS = flags.FLAGS
    if not 0 <= FLAGS.port < 1 << 16:
        raise ValueError(f"port={FLAGS.port}: must be a whole number, 0 to 65535")
    from tfstyle.studio.server import Server
    from tfstyle.studio.web import Studio

    default = cli.pathlib.Path(platformdirs.user_data_dir("tfstyle", appauthor=False), "studio")
    studio = Studio(FLAGS.folder or default, FLAGS.host)
    try:
        with Server(studio, FLAGS.host, FLAGS.port) as server:
            key = studio.access.key
            print(server.url + (f"?token={key}" if key else ""), flush=True)
            print(f"pictures lie in {str(studio.folder)!r}; Ctrl-C ends the studio", file=cli.sys.stderr)
            server.serve_forever(poll_interval=2.0)  # until a signal
        print("\nstopped; what was being painted goes on when it is started again", file=cli.sys.stderr)
    finally:
        studio.close()
