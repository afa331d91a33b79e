"""Paints a content picture in the manner of a style picture.

    python scripts/style_transfer.py --content=photo.jpg --style=painting.jpg --output=out.png

The method is Gatys, Ecker & Bethge, CVPR 2016. The picture written is a PNG or
JPEG by its suffix, and carries its settings: --from=out.png makes it again.
"""

import command_line as cli

TASK = "style_transfer"
PICTURES = {"content": "picture whose content to keep", "style": "picture whose style to take"}
cli.define_flags(TASK, PICTURES)
cli.flags.DEFINE_bool("dry_run", False, "say what memory and time the run will take, and how, and stop")


def main():
    job = cli.read_job(TASK, list(PICTURES))
    for name in PICTURES:
        if not job.pictures.get(name):
            raise ValueError(f"--{name}: is missing; it must name a picture file")
    with cli.quiet_tensorflow():
        import tfstyle

        if cli.FLAGS.dry_run:
            print(
                tfstyle.plan_transfer(job.pictures["content"], job.pictures["style"], job.config).describe()
            )
            return
        output = cli.output_path(job)
        note = cli.describe(TASK, job)
    result = tfstyle.transfer(
        job.pictures["content"],
        job.pictures["style"],
        job.config,
        reporters=cli.job_reporters(output, job),
        checkpoint_dir=cli.FLAGS.checkpoint_dir,
    )
    cli.write_picture(output, note, result)


if __name__ == "__main__":
    cli.run(main)
