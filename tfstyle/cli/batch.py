"""Paints many contents in many styles, on one machine or, with Apache Beam, on many.

    tfstyle batch --contents=photos --styles=a.jpg,b.jpg --output=out
    tfstyle batch --contents='records/*.tfrecord' --styles=styles --output=out --runner=beam \\
        --beam_args='--runner=DirectRunner --direct_running_mode=multi_processing --direct_num_workers=2'

Each content x style becomes OUTPUT/CONTENT__STYLE.png, which carries its
settings. OUTPUT/manifest.jsonl has a line for each picture (settings, SHA-256
of its files, losses), OUTPUT/failures.jsonl one for each that could not be
made, with the reason. Run again, it makes only what is missing, was made from
other files or with other settings, or failed for a reason that may have passed.
Exit status: 0 if all pictures are there; 1 if a mistake stopped the run, or if
some failed, now or before; 130 or 143 if it was stopped, after the pictures at hand.
"""

import shlex

from tfstyle.cli import common as cli
from tfstyle.io import formats


def define_flags():
    cli.flags.DEFINE_string(
        "contents", None, "folder (searched at any depth) or glob of pictures, or TFRecord files (.tfrecord,"
        " .tfrecords) of examples with image/encoded and, if it is known, image/filename",
    )  # fmt: skip
    cli.flags.DEFINE_list(
        "styles", None, "pictures, style targets (.npz), folders or globs of them, separated by commas"
    )
    cli.flags.DEFINE_string("output", None, "folder for the pictures; made if it is not there")
    cli.flags.DEFINE_enum("output_format", "png", formats.KINDS, "kind of the pictures")
    cli.flags.DEFINE_integer("batch_size", 8, "pictures of one size that are made at once")
    cli.flags.DEFINE_integer("retries", 2, "times to try a picture again after an error that may pass")
    cli.flags.DEFINE_bool("retry_failures", False, "try again what failed before, even if it has not changed")
    cli.flags.DEFINE_enum("runner", "local", ("local", "beam"), "this machine alone, or Apache Beam")
    cli.flags.DEFINE_string(
        "beam_args", "", "Beam's own options, in one string: its --runner (DirectRunner, FlinkRunner,"
        " SparkRunner, DataflowRunner) and theirs",
    )  # fmt: skip
    cli.define_settings_flags()


def main():
    contents, styles, output = cli.all_required(
        contents="a folder or glob of pictures, or TFRecord files",
        styles="one or more pictures",
        output="a folder",
    )
    cli.whole_number("batch_size", cli.FLAGS.batch_size, 1)
    cli.whole_number("retries", cli.FLAGS.retries, 0)
    arguments = beam_arguments()
    with cli.quiet_tensorflow():
        from tfstyle.batch import job

        if cli.FLAGS.runner == "beam":
            job.require_beam()
        batch = job.Batch(
            contents,
            styles,
            output,
            cli.settings(),
            suffix=f".{cli.FLAGS.output_format}",
            batch_size=cli.FLAGS.batch_size,
            retries=cli.FLAGS.retries,
            retry_failures=cli.FLAGS.retry_failures,
        )
    if cli.FLAGS.runner == "beam":
        summary = batch.run_on_beam(arguments)
    else:
        summary = batch.run_here(stop=cli.INTERRUPTION.awaited())
    print(", ".join(f"{count} {kind}" for kind, count in summary.counts.items()), file=cli.sys.stderr)
    print(summary.manifest)
    failed = (
        f"{summary.failures} pictures could not be made; {summary.dead_letters} says why"
        " (--retry_failures tries even those again that have not changed)"
    )
    if cli.INTERRUPTION.status:  # which the exit status tells, whatever failed before
        if summary.failures:
            print(failed, file=cli.sys.stderr)
        print(f"stopped by {cli.INTERRUPTION()}; the same command makes the rest", file=cli.sys.stderr)
    elif summary.failures:
        raise ValueError(failed)


def beam_arguments() -> list[str]:
    """Returns Beam's own options."""
    text = cli.FLAGS.beam_args
    if text and cli.FLAGS.runner != "beam":
        raise ValueError(f"beam_args={text!r}: needs --runner=beam")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError(f"beam_args={text!r}: cannot be split into options ({error})") from None
