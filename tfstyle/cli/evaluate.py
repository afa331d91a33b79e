"""Judges finished pictures against the content and style they were made from, side by side.

    tfstyle evaluate --content=photo.jpg --style=painting.jpg --results=a.png,b.png \\
        --output=out/evaluation

Into the folder go evaluation.md (a table, the best of each column in bold),
evaluation.json (the same numbers) and evaluation.png (the pictures with their
key figures). The page explains the scores; tfstyle/evaluation computes them.

    tfstyle evaluate --video --content=clip.mp4 --results=steady.mp4,frame_by_frame.mp4 --output=out/flicker

Clips are judged by how much they flicker (the warping error of Lai et al. 2018, of neighbouring frames and of
frames 8 apart) and how sharp they are and, with --style, how near six of their frames are to it;
evaluation.json has each frame's values, evaluation.png a filmstrip and a chart of the errors over time.
"""

import json

from absl import flags

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
_FLAGS_OF_CONFIG = ("weights", "image_size", "content_layers", "style_layers", "pooling", "padding")


def define_flags():
    flags.DEFINE_string("content", None, "picture whose content was to be kept")
    flags.DEFINE_list("style", None, "picture whose style was taken, or several, separated by commas")
    flags.DEFINE_list("results", None, "pictures to judge, separated by commas")
    flags.DEFINE_string("output", None, "folder for the table and the picture; made if it is not there")
    cli.define_option_flags(cli.TransferConfig(), _FLAGS_OF_CONFIG)
    flags.DEFINE_bool("video", False, "judge clips: how steady they are, and how sharp")
    flags.DEFINE_integer("tile", 512, "side in pixels of the tiles whose seams are looked for")


def main():
    meanings = {"content": "a picture file", "results": "one or more picture files", "output": "a folder"}
    if FLAGS.video:
        meanings |= {"content": "a clip", "results": "one or more clips"}
    content, results, output = cli.all_required(**meanings)
    for path in results:
        if results.count(path) > 1:
            raise ValueError(f"results={','.join(results)!r}: names {path!r} twice")
    if FLAGS.video:
        judge_clips(content, results, output)
        return
    styles = cli.required("style", "a picture file, or several")
    config = settings()
    with cli.quiet_tensorflow():
        from tfstyle.evaluation import draw_sheet, evaluate, markdown_page, markdown_table
        from tfstyle.io import encode
        from tfstyle.io.files import check_outputs, make_writable_folder, write_atomically

        folder = make_writable_folder(output, "output")
        given = [("content", content), *(("style", path) for path in styles)]
        given += [("results", path) for path in results]
        check_outputs([folder / f"evaluation.{kind}" for kind in ("json", "md", "png")], given)
    names = short_names(results)
    evaluation = evaluate(
        content,
        styles,
        {names[path]: path for path in results},
        config,
        tile=FLAGS.tile,
        evaluations={names[path]: count for path in results if (count := evaluations_of(path)) is not None},
    )
    height, width = evaluation.size
    for name, own in evaluation.resized.items():
        print(
            f"{name}: {own[1]} x {own[0]} pixels, resized to the content's {width} x {height};"
            " seams are looked for before that",
            file=cli.sys.stderr,
        )
    about = (
        f"Content {content}, style {', '.join(styles)}; weights {config.weights};"
        f" pictures are compared at {width} x {height} pixels."
    )
    record = {
        "content": content,
        "style": styles,
        **{name: config.to_dict()[name] for name in _FLAGS_OF_CONFIG},
        "tile": FLAGS.tile,
        "size": [width, height],
        "reference": evaluation.reference.to_dict(),
        "results": [
            {
                "name": names[path],
                "path": path,
                "size": list(reversed(evaluation.own_sizes[names[path]])),
                **evaluation.scores[names[path]].to_dict(),
            }
            for path in results
        ],
    }
    write_atomically(folder / "evaluation.json", (json.dumps(record, indent=1) + "\n").encode())
    write_atomically(folder / "evaluation.md", markdown_page(evaluation, about).encode())
    encode.write_drawing(folder / "evaluation.png", draw_sheet(evaluation), optimize=True)
    print(markdown_table(evaluation))
    print(folder / "evaluation.png")


def judge_clips(content: str, results: list[str], output: str) -> None:
    """Writes and prints how steady clips are that were painted from another one."""
    from tfstyle.io import encode
    from tfstyle.io.files import check_outputs, make_writable_folder, write_atomically
    from tfstyle.video.clips import open_clip
    from tfstyle.video.judging import TITLES, draw_filmstrip, judge

    folder = make_writable_folder(output, "output")
    given = [("content", content), *(("results", path) for path in results)]
    check_outputs([folder / f"evaluation.{kind}" for kind in ("json", "png")], given)
    names = short_names(results)
    found = judge(open_clip(content), {names[path]: open_clip(path, "results") for path in results})
    columns = {name: list(own.means().values()) for name, own in found.items()}
    record = {"content": content, "results": {name: own.to_dict() for name, own in found.items()}}
    titles = ["clip", *TITLES.values()]
    if FLAGS.style:
        titles.append("style error")
        for name, error in style_errors({name: own.shown for name, own in found.items()}).items():
            columns[name].append(error)
            record["results"][name]["style_error"] = error
    write_atomically(folder / "evaluation.json", (json.dumps(record, indent=1) + "\n").encode())
    encode.write_drawing(folder / "evaluation.png", draw_filmstrip(found), optimize=True)
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for name, values in columns.items():
        shown = ["-" if value is None else f"{value:.3g}" for value in values]
        print(f"| {name} | {' | '.join(shown)} |")
    print(folder / "evaluation.png")


def style_errors(clips: dict) -> dict[str, float]:
    """Returns the mean distance of each clip's frames, {name: pictures}, from --style, by the network."""
    frames = {(name, number): each for name, clip in clips.items() for number, each in enumerate(clip)}
    with cli.quiet_tensorflow():
        from tfstyle.evaluation import evaluate

        scores = evaluate(next(iter(frames.values())), FLAGS.style, frames, settings()).scores
    return {
        name: sum(scores[name, number].style_error for number in range(len(pictures))) / len(pictures)
        for name, pictures in clips.items()
    }


def settings():
    """Returns the default config, changed by the flags given."""
    return cli.TransferConfig(**cli.given_options(cli.TransferConfig))


def short_names(paths: list[str]) -> dict[str, str]:
    """Returns {path: its file's name without suffix}, or the paths themselves where two would be alike."""
    stems = [cli.pathlib.Path(path).stem for path in paths]
    return dict(zip(paths, stems if len(set(stems)) == len(stems) else paths))


def evaluations_of(path: str) -> int | None:
    """Returns what the JSON file beside a figure's panel (see `tfstyle figures`) says of its evaluations."""
    try:
        record = json.loads(cli.pathlib.Path(path).with_suffix(".json").read_text())
        return record["evaluations"] if type(record["evaluations"]) is int else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # no such file, or one of another kind
