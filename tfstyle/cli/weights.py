"""Lists the network weights that can be named, and fetches those of ImageNet.

    tfstyle weights            # which there are, where, and with what hash
    tfstyle weights --fetch    # downloads VGG19's now, unless they are here

Every other command fetches them by itself when it first needs them. On a machine
without a network, put one of the files that this lists where it says.
"""

from tfstyle.cli import common as cli


def define_flags():
    cli.flags.DEFINE_bool("fetch", False, "download the ImageNet weights now, unless they are here")


def main():
    with cli.quiet_tensorflow():
        from tfstyle.vgg import sources, weights

    found = sources.fetch() if cli.FLAGS.fetch else sources.find()
    if found:
        print(f"imagenet: {found.path} ({found.describe()})")
    else:
        print("imagenet: not on this machine yet; --fetch downloads it, or put there by hand:")
        for path in sources.places():
            print(f"    {path}")
    print(f"in the package: {weights.describe('mini')}")
