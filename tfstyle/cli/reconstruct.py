"""Shows what layers know of a picture: its content, or its style.

    tfstyle reconstruct --content=photo.jpg --content_layers=conv4_2 --output=content.png
    tfstyle reconstruct --style=painting.jpg --style_layers=conv1_1,conv2_1 --output=style.png

Content reconstruction finds a picture with the same activations, style
reconstruction one with the same Gram matrices (Gatys, Ecker & Bethge, CVPR
2016, figure 1). Both start from white noise unless --init says otherwise.
"""

from tfstyle.cli import common as cli

TASK = "reconstruct"
PICTURES = {name: f"picture to reconstruct the {name} of" for name in ("content", "style")}
DEFAULTS = {"init": "noise"}


def define_flags():
    cli.define_flags(PICTURES, **DEFAULTS)


def main():
    job = cli.read_job(TASK, list(PICTURES), **DEFAULTS)
    if len(job.pictures) != 1:
        raise ValueError("--content, --style: exactly one of them must name a picture file")
    cli.require_pixels_fit(job)
    supervision = cli.supervision()
    with cli.quiet_tensorflow():
        import tfstyle

        output = cli.output_path(job, f"_{next(iter(job.pictures))}")
        note = cli.describe(TASK, job)
    options = {"init": job.config.init, "reporters": cli.job_reporters(output, job), **vars(supervision)}
    if "content" in job.pictures:
        result = tfstyle.reconstruct_content(
            job.pictures["content"], job.config.content_layers, job.config, **options
        )
    else:
        result = tfstyle.reconstruct_style(
            job.pictures["style"], job.config.style_layers, job.config, **options
        )
    cli.write_picture(output, note, result)
