"""What other programs of neural style call things, and what is called so here.

In `FLAGS` a flag of theirs, with underscores, leads to a flag of ours or to a sentence why there is none.
They are those of jcjohnson/neural-style and its port neural-style-pt, anishathalye/neural-style,
cysmith/neural-style-tf, crowsonkb/style-transfer-pytorch, lengstrom/fast-style-transfer, PyTorch's and Keras'
examples, Magenta's image stylization, AdaIN-style and styletransfer-lite.
"""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Mapping

_DEVICE = "TensorFlow takes the GPU that it finds, and CUDA_VISIBLE_DEVICES='' keeps it from that"
_BACKEND = "there is TensorFlow alone, which chooses by itself how to compute"
_VIDEO = "there is no video; `tfstyle stylize` paints a folder of frames"
_PROGRESS = "progress is always shown; --log_every says how often"
_CURVES = "--logdir has the curves, for TensorBoard"
_LAYER_SHARE = "weights of layers are --style_layer_weights, one for each of --style_layers"
_ONE_LAYER = "content layers share --content_weight"
_LOSS = "the losses are those of --units"
_STEPS = "a state to go on from is --checkpoint_dir; pictures of the steps are --snapshot_dir"
_SIZES = "style pictures have the content's size times --style_scale"
_FOLDER = "name the picture with its folder"
_TRAINED = "networks that were trained are used by `tfstyle stylize --model`"
_TRAINING = "networks are trained by `tfstyle train`"
_WEB = "the progress is seen in TensorBoard, with --logdir"

FLAGS = {
    # pictures
    "base_image": "content",
    "base_image_path": "content",
    "content_image": "content",
    "content_images": "content",
    "content_images_paths": "content",
    "content_img": "content",
    "content_path": "content",
    "image": "content",
    "in_path": "content",
    "input": "content",
    "input_image": "content",
    "style_image": "style",
    "style_images": "style",
    "style_images_paths": "style",
    "style_img": "style",
    "style_imgs": "style",
    "style_path": "style",
    "style_reference_image": "style",
    "style_reference_image_path": "style",
    "styles": "style",
    "content_mask": "content_masks",
    "style_mask": "style_masks",
    "style_mask_imgs": "style_masks",
    "content_img_dir": _FOLDER,
    "style_imgs_dir": _FOLDER,
    "o": "output",
    "out": "output",
    "out_path": "output",
    "output_dir": "output",
    "output_image": "output",
    "output_path": "output",
    "result_prefix": "output",
    "img_name": "output",
    "img_output_dir": "output",
    "output_basename": "output",
    "overwrite": "what is there under the name of --output is replaced",
    # size
    "content_size": "image_size",
    "contentsize": "image_size",
    "end_scale": "image_size",
    "max_size": "image_size",
    "size": "image_size",
    "width": "image_size",
    "content_scale": "image_size",
    "min_scale": "coarsest_size",
    "ms": "coarsest_size",
    "style_scale_fac": "style_scale",
    "style_scales": "style_scale",
    "style_size": _SIZES,
    "stylesize": _SIZES,
    "style_image_size": _SIZES,
    "maintain_aspect_ratio": "the content's aspect is always kept",
    "rescale_image": "the picture has --image_size; 0 keeps the content's",
    # what is optimised
    "alpha": "strength",
    "cw": "content_weight",
    "sw": "style_blend",
    "tw": "tv_weight",
    "interpolation_weights": "style_blend",
    "style_blend_weights": "style_blend",
    "style_imgs_weights": "style_blend",
    "style_interp_weights": "style_blend",
    "style_weights": "style_blend",
    "styleinterpweights": "style_blend",
    "total_variation_weight": "tv_weight",
    "content_layer": "content_layers",
    "style_layer": "style_layers",
    "content_layer_weights": _ONE_LAYER,
    "content_weight_blend": _ONE_LAYER,
    "style_layer_weight_exp": _LAYER_SHARE,
    "content_loss_function": _LOSS,
    "content_loss_type": _LOSS,
    "normalize_gradients": "weights are comparable without it in --units=relative, the default",
    "color_convert_time": "color",
    "color_convert_type": "color=content",
    "keep_colors": "color=content",
    "original_colors": "color=content",
    "preserve_color": "color=content",
    "preserve_colors": "color=content",
    "preservecolor": "color=content",
    "color_mask": "content_masks",
    "pool_type": "pooling",
    "pooling_type": "pooling",
    # where it starts
    "image_type": "init",
    "init_image": "init",
    "init_img_type": "init",
    "initial": "init",
    "initial_noiseblend": "init",
    "noise_ratio": "init",
    "random_seed": "seed",
    # how
    "initial_iterations": "iterations",
    "ii": "iterations",
    "iter": "iterations",
    "iters": "iterations",
    "max_iter": "iterations",
    "max_iterations": "iterations",
    "n_iter": "iterations",
    "niter": "iterations",
    "num_iter": "iterations",
    "num_iterations": "iterations",
    "num_steps": "iterations",
    "steps": "iterations",
    "ad": "averaging",
    "avg_decay": "averaging",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "eps": "adam_epsilon",
    "epsilon": "adam_epsilon",
    "lbfgs_num_correction": "lbfgs_history",
    "lr": "learning_rate",
    "ss": "learning_rate",
    "step_size": "learning_rate",
    "min_improvement": "a run has all of its --iterations, or ends at a --deadline",
    # network and machine
    "model_file": "weights",
    "model_path": "weights",
    "model_weights": "weights",
    "network": "weights",
    "vgg_path": "weights",
    "proto_file": "the network is VGG19, which needs no description",
    "disable_check": "layers that are not there are always told",
    "autotune": _BACKEND,
    "backend": _BACKEND,
    "cudnn_autotune": _BACKEND,
    "cuda": _DEVICE,
    "device": _DEVICE,
    "devices": _DEVICE,
    "gpu": _DEVICE,
    "multidevice_strategy": _DEVICE,
    "multigpu_strategy": _DEVICE,
    # progress
    "checkpoint_iterations": _STEPS,
    "checkpoint_output": "snapshot_dir",
    "save_every": _STEPS,
    "save_iter": _STEPS,
    "print_iter": "log_every",
    "print_iterations": "log_every",
    "progress_plot": _CURVES,
    "progress_write": _CURVES,
    "verbose": _PROGRESS,
    "browser": _WEB,
    "host": _WEB,
    "port": _WEB,
    "web": _WEB,
    # video
    "end_frame": _VIDEO,
    "first_frame_type": _VIDEO,
    "init_frame_type": _VIDEO,
    "smooth": _VIDEO,
    "start_frame": _VIDEO,
    "temporal_weight": _VIDEO,
    "video": _VIDEO,
    "video_input_dir": _VIDEO,
    "video_output_dir": _VIDEO,
    # trained networks
    "checkpoint": _TRAINED,
    "model": _TRAINED,
    "which_styles": _TRAINED,
    "checkpoint_interval": _TRAINING,
    "dataset": _TRAINING,
    "epochs": _TRAINING,
    "save_model_dir": _TRAINING,
    "train_path": _TRAINING,
}

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
        near = difflib.get_close_matches(typed.replace("-", "_"), known, n=2, cutoff=0.7)
        hint = f"; did you mean {' or '.join(f'--{name}' for name in near)}?" if near else ", see --help"
        told.append(f"--{typed}: is no flag of this command{hint}")
    if foreign and "preset" not in given and "preset" in known and any(name in given for name in _WEIGHTS):
        told.append(
            "weights are in that program's units with its --preset, such as jcjohnson or anishathalye"
        )
    return "; ".join(told)
