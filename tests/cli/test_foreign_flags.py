"""Command lines of other programs of neural style: each is taken as meant, or told what to write.

In two tables: in tfstyle's own spelling with what comes of it, and as they are written there.
"""

import re

import pytest
from absl import flags

from tfstyle.cli import common as cli
from tfstyle.cli import foreign_flags, transfer
from tfstyle.cli.arguments import spelled
from tfstyle.config.transfer import choices

PICTURES = "--content=a.jpg --style=b.jpg"


@pytest.fixture(scope="module")
def known():
    """The flags of `tfstyle transfer`, beside which absl's own have names, too."""
    before = set(flags.FLAGS)
    transfer.define_flags()
    yield flags.FLAGS
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)


@pytest.fixture
def job(known):
    """Returns the job of a command line."""

    def read(line):
        known.unparse_flags()
        for name in known:
            known[name].unparse()
        rest = known(["tfstyle transfer", *spelled(line.split(), known, transfer.PLACES)])[1:]
        assert not rest
        return cli.read_job(transfer.TASK, [*transfer.PICTURES, *transfer.SEVERAL])

    yield read
    known.unparse_flags()


# As here: (command line, fields of the config).
OURS = [
    ("a.jpg b.jpg", {}),
    ("-content a.jpg -style b.jpg", {}),
    ("--content a.jpg --style b.jpg,c.jpg --style-blend 3,7", {"style_blend": (3.0, 7.0)}),
    ("a.jpg b.jpg -image_size 1024 -iterations 1e3", {"image_size": 1024, "iterations": 1000}),
    ("a.jpg b.jpg -content_weight 5e0 -style_weight 1e2 -tv_weight 1e-3", {"content_weight": 5.0, "style_weight": 100.0, "tv_weight": 0.001}),
    ("a.jpg b.jpg --preset=jcjohnson -style_weight 1e3", {"units": "jcjohnson", "style_weight": 1000.0}),
    ("a.jpg b.jpg --preset anishathalye --content-weight 5", {"units": "anishathalye", "content_weight": 5.0}),
    ("a.jpg b.jpg --preset=crowsonkb --content-weight 0.015", {"units": "crowsonkb", "content_weight": 0.015}),
    ("a.jpg b.jpg --content_layers relu4_2,relu5_2", {"content_layers": ("block4_conv2", "block5_conv2")}),
    ("a.jpg b.jpg --style-layers=relu_1_1,conv_2_1,", {"style_layers": ("block1_conv1", "block2_conv1")}),
    ("a.jpg b.jpg --style_layers conv1_1 --style_layers block2_conv1", {"style_layers": ("block2_conv1",)}),
    ("a.jpg b.jpg --style_layers=conv1_1,conv2_1 --style-layer-weights 0.2,0.8", {"style_layer_weights": (0.2, 0.8)}),
    ("a.jpg b.jpg -init noise -seed 123", {"init": "noise", "seed": 123}),
    ("a.jpg b.jpg -optimizer adam --learning-rate=0.05", {"optimizer": "adam", "learning_rate": 0.05}),
    ("a.jpg b.jpg -pooling max -style_scale 0.5 --color content", {"pooling": "max", "style_scale": 0.5, "color": "content"}),
    ("a.jpg b.jpg --averaging 0.99 --beta-1 0.9 --beta-2 0.99", {"averaging": 0.99, "beta_2": 0.99}),
]  # fmt: skip

# As there: {program: {flag as it is written there: what it is called here, or how the sentence begins}}.
THEIRS = {
    "jcjohnson/neural-style, neural-style-pt": {
        "-style_image b.jpg,c.jpg": "--style", "-content_image a.jpg": "--content", "-output_image profile.png": "--output",
        "-style_blend_weights 3,7": "--style_blend", "-num_iterations 1000": "--iterations", "-init_image start.png": "--init",
        "-gpu 0,1,2,3": "TensorFlow takes the GPU", "-multigpu_strategy 3,6,12": "TensorFlow takes the GPU",
        "-multidevice_strategy 4,7,29": "TensorFlow takes the GPU", "-model_file models/vgg19-d01eb7cb.pth": "--weights",
        "-proto_file models/VGG_ILSVRC_19_layers_deploy.prototxt": "the network is VGG19", "-print_iter 50": "--log_every",
        "-backend nn": "there is TensorFlow alone", "-cudnn_autotune": "there is TensorFlow alone",
        "-autotune": "there is TensorFlow alone", "-normalize_gradients": "weights are comparable without it",
        "-original_colors 1": "--color=content", "-save_iter 100": "a state to go on from is --checkpoint_dir",
        "-lbfgs_num_correction 20": "--lbfgs_history", "-disable_check": "layers that are not there",
    },
    "anishathalye/neural-style": {
        "--styles b.jpg c.jpg": "--style", "--style-blend-weights 0.3 0.7": "--style_blend", "--width 800": "--image_size",
        "--checkpoint-output=check%s.jpg": "--snapshot_dir", "--checkpoint-iterations 50": "a state to go on from",
        "--print-iterations 100": "--log_every", "--style-scales 1.0": "--style_scale", "--beta1 0.9": "--beta_1",
        "--network imagenet-vgg-verydeep-19.mat": "--weights", "--content-weight-blend 0.5": "content layers share",
        "--style-layer-weight-exp 0.2": "weights of layers are --style_layer_weights", "--beta2 0.999": "--beta_2",
        "--epsilon 1e-08": "--adam_epsilon", "--initial start.jpg": "--init", "--initial-noiseblend 0.2": "--init",
        "--preserve-colors": "--color=content", "--overwrite": "what is there", "--progress-plot": "--logdir has the curves",
    },
    "cysmith/neural-style-tf": {
        "--content_img a.jpg": "--content", "--style_imgs b.jpg c.jpg": "--style", "--style_imgs_weights 0.5 0.5": "--style_blend",
        "--max_size 512": "--image_size", "--max_iterations 1000": "--iterations", "--device /cpu:0": "TensorFlow takes the GPU",
        "--verbose": "progress is always shown", "--content_img_dir ./photos": "name the picture with its folder",
        "--img_name result": "--output", "--init_img_type random": "--init", "--noise_ratio 0.8": "--init",
        "--pooling_type avg": "--pooling", "--model_weights imagenet-vgg-verydeep-19.mat": "--weights",
        "--style_mask": "--style_masks", "--color_convert_type yuv": "--color=content", "--print_iterations 50": "--log_every",
        "--content_layer_weights 0.5 0.5": "content layers share", "--content_loss_function 2": "the losses are those of --units",
        "--video": "clips are painted by `tfstyle video`", "--init_frame_type prev_warped": "clips are painted by `tfstyle video`", "--temporal_weight 200": "clips are painted by `tfstyle video`",
    },
    "crowsonkb/style-transfer-pytorch": {
        "-o out.png": "--output", "--style-weights 1 2": "--style_blend", "-ms 256": "--coarsest_size", "-cw 0.05": "--content_weight",
        "--end-scale 1024": "--image_size", "--min-scale 128": "--coarsest_size", "--devices cuda:0 cuda:1": "TensorFlow takes the GPU",
        "--random-seed 7": "--seed", "-tw 2": "--tv_weight", "-ii 2000": "--iterations", "--save-every 20": "a state to go on from",
        "--step-size 0.01": "--learning_rate", "--avg-decay 0.99": "--averaging", "--style-scale-fac 0.75": "--style_scale",
        "--style-size 512": "style pictures have the content's size", "--web": "`tfstyle studio` has the progress in the browser",
    },
    "fast-style-transfer, PyTorch's and Keras' examples, Magenta, AdaIN-style, styletransfer-lite": {
        "--checkpoint wave.ckpt": "networks that were trained are used by `tfstyle stylize --model`", "--in-path a.jpg": "--content",
        "--train-path train2014": "networks are trained by `tfstyle train`", "--cuda 0": "TensorFlow takes the GPU",
        "--content-scale 2": "--image_size", "--iter 10": "--iterations", "--base_image_path a.jpg": "--content",
        "--total_variation_weight 1e-4": "--tv_weight", "--min_improvement 0": "a run has all of its --iterations",
        "--pool_type ave": "--pooling", "--rescale_image True": "the picture has --image_size", "--which_styles [0,1]": "networks that were trained",
        "--interpolation_weights [0.5]": "--style_blend", "--style_image_size 256": "style pictures have the content's size",
        "-contentSize 512": "--image_size", "-preserveColor": "--color=content", "-styleInterpWeights 1,2": "--style_blend",
        "--smooth 0.5": "clips are painted by `tfstyle video`", "--num_steps 300": "--iterations", "--lr 0.01": "--learning_rate",
    },
}  # fmt: skip

# Further command lines that cannot be taken: (command line, what the one line says).
TOLD = [
    (f"{PICTURES} -init image", "init=image: is called --init=content here"),
    (f"{PICTURES} -init random", "init=random: is called --init=noise here"),
    (f"{PICTURES} -pooling avg", "pooling=avg: is called --pooling=average here"),
    (f"{PICTURES} --optimizer=Adam", "optimizer=Adam: is called --optimizer=adam here"),
    (f"{PICTURES} -content_weight 5 -num_iterations 500", "weights are in that program's units with its --preset, such as jcjohnson"),
    ("a.jpg b.jpg --style_weigth=5", "--style_weigth: is no flag of this command; did you mean --style_weight"),
    ("a.jpg b.jpg --image_sise=256", "did you mean --image_size?"),
    ("a.jpg b.jpg --iterations=1000it", "must be a whole number, such as 1000"),
    ("https://example.org/a.jpg b.jpg", "content='https://example.org/a.jpg': is an address"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), OURS)
def test_as_here(job, line, expected):
    made = job(line)
    assert made.pictures["content"] == "a.jpg" and made.paths("style")[0] == "b.jpg"
    assert {name: getattr(made.config, name) for name in expected} == expected


@pytest.mark.parametrize("program", THEIRS)
def test_as_there(known, program):
    with pytest.raises(ValueError) as raised:
        spelled(" ".join(THEIRS[program]).split(), known, transfer.PLACES)
    for flag, here in THEIRS[program].items():
        name = re.match(r"-+([\w-]+)", flag)[1]
        here = f"is called {here} here" if re.fullmatch("--[a-z0-9_=]+", here) else here
        assert f"--{name}: {here}" in str(raised.value)


@pytest.mark.parametrize(("line", "told"), TOLD)
def test_what_cannot_be_taken(known, line, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        spelled(line.split(), known, transfer.PLACES)


def test_the_table_leads_to_flags_and_values_that_there_are(known):
    here = {target.partition("=")[0] for target in foreign_flags.FLAGS.values() if " " not in target}
    assert here - set(known) == {"strength"}  # of `tfstyle stylize`
    assert not set(foreign_flags.FLAGS) & set(known)
    for (name, there), value in foreign_flags.VALUES.items():
        assert there not in choices(name) and (value in choices(name) or name == "init")
