"""Paints a content picture in the manner of a style picture.

    tfstyle transfer --content=photo.jpg --style=painting.jpg --output=out.png

The method is Gatys, Ecker & Bethge, CVPR 2016. The picture written is a PNG,
JPEG, WebP, TIFF or AVIF by its suffix, and carries its settings: --from=out.png makes it again.
"""

from tfstyle.cli import common as cli

TASK = "style_transfer"
PICTURES = {"content": "picture whose content to keep"}
SEVERAL = {
    "style": "picture whose style to take, or several, separated by commas",
    "content_masks": "where in the content the styles go: one picture whose colours are the regions, or"
    " pictures that are white there, one a region; elsewhere the content stays",
    "style_masks": "what of the style pictures counts: the same colours, or a mask for each mask of the"
    " content or, without those, for each style",
}
PLACES = ("content", "style")  # tfstyle transfer photo.jpg painting.jpg


def define_flags():
    cli.define_flags(PICTURES, SEVERAL)
    cli.flags.DEFINE_bool("dry_run", False, "say what memory and time the run will take, and how, and stop")
    cli.flags.DEFINE_bool("explain", False, "say what the weights are in the units of other codes, and stop")


def main():
    job = cli.read_job(TASK, [*PICTURES, *SEVERAL])
    cli.require(job.pictures, content="a picture file", style="a picture file")
    if not cli.FLAGS.dry_run:
        cli.require_pixels_fit(job)
    supervision = cli.supervision()
    with cli.quiet_tensorflow():
        import tfstyle

        inputs = (job.pictures["content"], job.paths("style"), job.config)
        masks = {name: job.paths(name) for name in ("content_masks", "style_masks")}
        if cli.FLAGS.dry_run:
            from tfstyle.vgg import weights

            plan = tfstyle.plan_transfer(*inputs, **masks)
            print(f"weights: {weights.describe(job.config.weights)}")
            if plan.coarse_weights:
                print(f"coarse_weights: {weights.describe(plan.coarse_weights)}")
            print(plan.describe())
            return
        if cli.FLAGS.explain:
            print(tfstyle.explain_transfer(*inputs, **masks))
            return
        output = cli.output_path(job)
        note = cli.describe(TASK, job)
    result = tfstyle.transfer(*inputs, **masks, reporters=cli.job_reporters(output, job), **vars(supervision))
    cli.write_picture(output, note, result)
